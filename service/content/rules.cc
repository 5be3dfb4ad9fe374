#include "content/rules.h"

#include <uriparser/Uri.h>

#include <algorithm>
#include <memory>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "content/body.h"
#include "content/names.h"
#include "content/text.h"
#include "content/uuid.h"
#include "google/protobuf/util/field_mask_util.h"
#include "google/protobuf/util/time_util.h"

namespace content {
namespace {

constexpr int kMaxTitleCharacters = 300;
constexpr int kMaxSummaryCharacters = 2'000;
constexpr int kMaxIdCharacters = 128;
constexpr int kMaxPersonCharacters = 255;  // a subject of tokens, access/token.h
constexpr int kMaxTagCharacters = 100;
constexpr int kMaxSourceCharacters = 100;
constexpr int kMaxSourceIdCharacters = 255;
constexpr int kMaxUriCharacters = 2'000;
constexpr int kMaxLanguageCharacters = 35;  // RFC 5646, section 4.4.1
constexpr int kMaxAuthors = 50;
constexpr int kMaxSections = 1'000;

// Refuses characters that make a name look like another or spoil the text around it.
void CheckEffects(absl::string_view name, absl::string_view field, Violations& violations) {
  if (HasBidiControl(name)) {
    violations.Add(field, "has a bidirectional control character");
  } else if (HasVisibleCharacter(name) && HasInvisibleEdge(name)) {
    violations.Add(field, "begins or ends with an invisible character");
  } else if (HasVisibleCharacter(name) && BeginsWithMark(name)) {
    violations.Add(field, "begins with a combining mark");
  }
}

struct TextRule {
  int max_characters;
  bool required = false;
  bool one_line = true;
};

void CheckLength(absl::string_view text, const TextRule& rule, absl::string_view field,
                 Violations& violations) {
  if (text.empty() && rule.required) violations.Add(field, "is required");
  if (const size_t length = CountCharacters(text);
      length > static_cast<size_t>(rule.max_characters)) {
    violations.Add(field, absl::StrCat("has ", length, " characters; at most ", rule.max_characters,
                                       " are allowed"));
  }
}

void CheckText(absl::string_view text, const TextRule& rule, absl::string_view field,
               Violations& violations) {
  CheckLength(text, rule, field, violations);
  if (text.empty()) return;
  CheckCharacters(text, rule.one_line, field, violations);
  if (!HasVisibleCharacter(text)) violations.Add(field, "has no visible character");
}

// Checks a name, which people read next to other text, or a title.
void CheckName(absl::string_view name, const TextRule& rule, absl::string_view field,
               Violations& violations) {
  CheckText(name, rule, field, violations);
  CheckEffects(name, field, violations);
}

absl::string_view View(const UriTextRangeA& range) {
  if (range.first == nullptr) return "";
  return {range.first, static_cast<size_t>(range.afterLast - range.first)};
}

// Returns whether `uri` is an http or https URI (RFC 3986) with a host.
bool IsWebUri(absl::string_view uri) {
  // The parser recurses for each character, so longer texts must not reach it. (A URI is ASCII:
  // bytes are characters.)
  if (uri.size() > kMaxUriCharacters) return false;
  UriUriA parsed;
  if (uriParseSingleUriExA(&parsed, uri.data(), uri.data() + uri.size(), nullptr) != URI_SUCCESS) {
    return false;
  }
  const std::unique_ptr<UriUriA, decltype(&uriFreeUriMembersA)> members(&parsed,
                                                                        &uriFreeUriMembersA);
  const absl::string_view scheme = View(parsed.scheme);
  const bool is_web =
      absl::EqualsIgnoreCase(scheme, "http") || absl::EqualsIgnoreCase(scheme, "https");
  return is_web && !View(parsed.hostText).empty();
}

void CheckUri(absl::string_view uri, absl::string_view field, Violations& violations) {
  CheckText(uri, {.max_characters = kMaxUriCharacters}, field, violations);
  const bool is_too_long = CountCharacters(uri) > kMaxUriCharacters;
  if (!uri.empty() && !is_too_long && !IsWebUri(uri)) {
    violations.Add(field, "is not an absolute http or https URI");
  }
}

// Checks the syntax of RFC 5646 only: subtags of 1 to 8 letters and digits, the first of letters.
bool IsLanguageTag(absl::string_view tag) {
  bool first = true;
  for (absl::string_view subtag : absl::StrSplit(tag, '-')) {
    if (subtag.empty() || subtag.size() > 8) return false;
    for (char c : subtag) {
      if (!absl::ascii_isalpha(c) && (first || !absl::ascii_isdigit(c))) return false;
    }
    first = false;
  }
  return true;
}

void CheckAuthors(const v1::Article& article, absl::string_view path, Violations& violations) {
  if (article.authors_size() > kMaxAuthors) {
    violations.Add(absl::StrCat(path, ".authors"), absl::StrCat("has more than ", kMaxAuthors));
    return;
  }
  for (int i = 0; i < article.authors_size(); ++i) {
    const v1::Author& author = article.authors(i);
    const std::string field = absl::StrCat(path, ".authors[", i, "]");
    CheckName(author.display_name(), {.max_characters = kMaxNameCharacters, .required = true},
              absl::StrCat(field, ".display_name"), violations);
    CheckName(author.id(), {.max_characters = kMaxIdCharacters}, absl::StrCat(field, ".id"),
              violations);
    CheckUri(author.uri(), absl::StrCat(field, ".uri"), violations);
  }
}

void CheckTags(const v1::Article& article, absl::string_view path, Violations& violations) {
  if (article.tags_size() > kMaxTags) {
    violations.Add(absl::StrCat(path, ".tags"), absl::StrCat("has more than ", kMaxTags));
    return;
  }
  std::set<absl::string_view> seen;
  for (int i = 0; i < article.tags_size(); ++i) {
    const std::string field = absl::StrCat(path, ".tags[", i, "]");
    CheckName(article.tags(i), {.max_characters = kMaxTagCharacters, .required = true}, field,
              violations);
    if (!seen.insert(article.tags(i)).second) violations.Add(field, "is a duplicate");
  }
}

void CheckBody(absl::string_view body, absl::string_view field, Violations& violations) {
  if (body.size() > kMaxBodyBytes) {
    violations.Add(field, absl::StrCat("has ", body.size(), " bytes; at most ", kMaxBodyBytes,
                                       " are allowed"));
    return;
  }
  CheckText(body, {.max_characters = kMaxBodyBytes, .required = true, .one_line = false}, field,
            violations);
}

// An imported comment has an id in its source, or one that it keeps.
void CheckIds(const v1::ImportedComment& comment, absl::Time now, Violations& violations) {
  if (comment.comment_id().empty()) {
    CheckText(comment.source_id(), {.max_characters = kMaxSourceIdCharacters, .required = true},
              "source_id", violations);
  } else if (!comment.source_id().empty()) {
    violations.Add("source_id", "must be empty if there is a comment_id");
  } else if (!IsUuidV7(comment.comment_id())) {
    violations.Add("comment_id", "is not a version 7 UUID in lower case");
  } else if (TimeOfUuid(comment.comment_id()) > now) {
    violations.Add("comment_id", "has a time in the future");
  }
}

void CheckReplyTo(const v1::ImportedComment& comment, Violations& violations) {
  if (comment.reply_to().empty()) {
    CheckText(comment.reply_to_source_id(), {.max_characters = kMaxSourceIdCharacters},
              "reply_to_source_id", violations);
  } else if (!comment.reply_to_source_id().empty()) {
    violations.Add("reply_to_source_id", "must be empty if there is a reply_to");
  } else if (!ParseCommentName(comment.reply_to())) {
    violations.Add("reply_to", kCommentNameRule);
  }
}

// A time that a UUID of version 7 can carry, to the microsecond.
void CheckPastTime(const google::protobuf::Timestamp& time, absl::Time now, absl::string_view field,
                   Violations& violations) {
  using google::protobuf::util::TimeUtil;
  Violations invalid;
  CheckTime(time, field, invalid);
  if (!invalid.empty()) {
    CheckTime(time, field, violations);
  } else if (time.seconds() < 0) {
    violations.Add(field, "is before 1970");
  } else if (TimeUtil::TimestampToMicroseconds(time) > absl::ToUnixMicros(now)) {
    violations.Add(field, "is in the future");
  }
}

void CheckTimes(const v1::ImportedComment& comment, absl::Time now, Violations& violations) {
  CheckPastTime(comment.create_time(), now, "create_time", violations);
  if (!comment.has_update_time()) return;
  CheckPastTime(comment.update_time(), now, "update_time", violations);
  if (comment.update_time() < comment.create_time()) {
    violations.Add("update_time", "is before create_time");
  }
}

// Returns the violations of fields that `paths` name. A stored article may break rules that are
// younger than it, and may still be changed elsewhere.
Violations OfPaths(const Violations& violations, const std::vector<std::string>& paths) {
  Violations named;
  for (const Violations::Field& field : violations.fields()) {
    const absl::string_view path = absl::StripPrefix(field.path, "article.");
    const absl::string_view first = path.substr(0, path.find_first_of(".["));
    const bool is_named = std::any_of(paths.begin(), paths.end(), [&](const std::string& other) {
      return first == absl::string_view(other).substr(0, other.find('.'));
    });
    if (is_named) named.Add(field.path, field.description);
  }
  return named;
}

}  // namespace

void CheckArticle(const v1::Article& article, absl::string_view path, Violations& violations) {
  const auto field = [path](absl::string_view name) { return absl::StrCat(path, ".", name); };
  if (!article.name().empty() && !ParseArticleName(article.name())) {
    violations.Add(field("name"), kArticleNameRule);
  }
  CheckName(article.title(), {.max_characters = kMaxTitleCharacters, .required = true},
            field("title"), violations);
  CheckAuthors(article, path, violations);
  CheckTime(article.publish_time(), field("publish_time"), violations);
  CheckLanguage(article.language_code(), field("language_code"), violations);
  CheckText(article.summary(), {.max_characters = kMaxSummaryCharacters, .one_line = false},
            field("summary"), violations);
  CheckBody(article.body(), field("body"), violations);
  CheckTags(article, path, violations);
  CheckUri(article.source_uri(), field("source_uri"), violations);
  if (!v1::CommentPolicy_IsValid(article.comment_policy())) {
    violations.Add(field("comment_policy"), "is not a value of CommentPolicy");
  }
}

void CheckComment(const v1::Comment& comment, absl::string_view path, Violations& violations) {
  const auto field = [path](absl::string_view name) { return absl::StrCat(path, ".", name); };
  CheckCommentAuthorId(comment.author().id(), field("author.id"), violations);
  CheckDisplayName(comment.author().display_name(), field("author.display_name"), violations);
  CheckCommentBody(comment.body(), field("body"), violations);
}

void CheckImportSource(absl::string_view source, absl::string_view field, Violations& violations) {
  CheckText(source, {.max_characters = kMaxSourceCharacters}, field, violations);
}

void CheckImportedComment(const v1::ImportedComment& comment, absl::Time now,
                          Violations& violations) {
  CheckIds(comment, now, violations);
  CheckReplyTo(comment, violations);
  if (comment.state() != v1::COMMENT_STATE_DELETED) {
    CheckCommentAuthorId(comment.author().id(), "author.id", violations);
    CheckDisplayName(comment.author().display_name(), "author.display_name", violations);
    CheckCommentBody(comment.body(), "body", violations);
  }
  CheckTimes(comment, now, violations);
  if (comment.edit_count() < 0) violations.Add("edit_count", "is negative");
}

void CheckCommentAuthorId(absl::string_view id, absl::string_view field, Violations& violations) {
  CheckName(id, {.max_characters = kMaxIdCharacters, .required = true}, field, violations);
}

void CheckCommentBody(absl::string_view body, absl::string_view field, Violations& violations) {
  CheckText(body, {.max_characters = kMaxCommentCharacters, .required = true, .one_line = false},
            field, violations);
}

void CheckDisplayName(absl::string_view name, absl::string_view field, Violations& violations) {
  CheckName(name, {.max_characters = kMaxNameCharacters, .required = true}, field, violations);
}

void CheckReason(absl::string_view reason, absl::string_view field, Violations& violations) {
  CheckText(reason, {.max_characters = kMaxReasonCharacters, .required = false, .one_line = false},
            field, violations);
}

void CheckCharacters(absl::string_view text, bool one_line, absl::string_view field,
                     Violations& violations) {
  if (HasForbiddenCharacter(text, one_line)) {
    violations.Add(field, one_line
                              ? "has a control character or a line break"
                              : "has a control character other than tab, line feed and return");
  }
  if (HasLongMarkRun(text)) {
    violations.Add(field,
                   absl::StrCat("has more than ", kMaxMarksInARow, " combining marks in a row"));
  }
}

void CheckNameFilter(absl::string_view name, absl::string_view field, Violations& violations) {
  if (name.empty()) return;
  CheckCharacters(name, /*one_line=*/true, field, violations);
  if (TrimWhiteSpace(name).empty()) violations.Add(field, "has no visible character");
}

void CheckAuthorIdToFind(absl::string_view id, absl::string_view field, Violations& violations) {
  CheckLength(id, {.max_characters = kMaxPersonCharacters, .required = true}, field, violations);
  CheckNameFilter(id, field, violations);
}

absl::Status CheckAuthorIsCaller(const Caller* caller, absl::string_view author_id) {
  if (caller == nullptr || !caller->writes_only_as_person) return absl::OkStatus();
  if (caller->person.empty()) return PersonMissing();
  return caller->person == author_id ? absl::OkStatus() : AuthorNotCaller(caller->person);
}

void CheckLanguage(absl::string_view tag, absl::string_view field, Violations& violations) {
  if (tag.empty()) return;
  if (tag.size() > kMaxLanguageCharacters || !IsLanguageTag(tag)) {
    violations.Add(field, "is not a BCP 47 language tag such as en or pt-BR");
  }
}

void CheckTime(const google::protobuf::Timestamp& time, absl::string_view field,
               Violations& violations) {
  using google::protobuf::util::TimeUtil;
  if (time.seconds() < TimeUtil::kTimestampMinSeconds ||
      time.seconds() > TimeUtil::kTimestampMaxSeconds || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    violations.Add(field, "is not between 0001-01-01 and 9999-12-31");
  }
}

absl::Status CompleteName(absl::string_view path, v1::Article& article) {
  if (!article.name().empty()) return absl::OkStatus();
  const std::string id = Slug(article.title(), kMaxArticleIdLength);
  if (id.empty()) {
    return InvalidField(absl::StrCat(path, ".name"),
                        "is required: no id can be derived from the title");
  }
  article.set_name(ArticleName(id));
  return absl::OkStatus();
}

absl::Status CompleteArticle(absl::string_view path, v1::Article& article) {
  if (absl::Status status = CompleteName(path, article); !status.ok()) return status;
  article.clear_update_time();
  article.clear_comment_count();
  article.clear_revision();
  if (article.has_publish_time()) {  // PostgreSQL keeps microseconds
    const int32_t nanos = article.publish_time().nanos();
    article.mutable_publish_time()->set_nanos(nanos - nanos % 1000);
  }
  DescribeBody(article);
  if (article.sections_size() > kMaxSections) {
    return InvalidField(absl::StrCat(path, ".body"),
                        absl::StrCat("has ", article.sections_size(), " sections; at most ",
                                     kMaxSections, " are allowed"));
  }
  return absl::OkStatus();
}

const std::vector<std::string>& ChangeableArticleFields() {
  static const auto* const fields =
      new std::vector<std::string>{"title", "authors", "publish_time", "language_code", "summary",
                                   "body",  "tags",    "source_uri",   "comment_policy"};
  return *fields;
}

absl::Status MergeArticle(const v1::Article& changes, const std::vector<std::string>& paths,
                          v1::Article& article) {
  google::protobuf::FieldMask mask;
  for (const std::string& path : paths) mask.add_paths(path);
  google::protobuf::util::FieldMaskUtil::MergeOptions options;
  options.set_replace_message_fields(true);
  options.set_replace_repeated_fields(true);
  google::protobuf::util::FieldMaskUtil::MergeMessageTo(changes, mask, options, &article);
  Violations violations;
  CheckArticle(article, "article", violations);
  // Those that were dropped may be of any field.
  if (violations.dropped_count() == 0) violations = OfPaths(violations, paths);
  if (!violations.empty()) return violations.ToStatus();
  return CompleteArticle("article", article);
}

}  // namespace content
