#include "transfer/exports/movable_type.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "content/names.h"
#include "content/text.h"
#include "transfer/among.h"
#include "transfer/dates.h"
#include "transfer/exports/export_file.h"
#include "transfer/exports/hand_over.h"
#include "transfer/exports/markdown_html.h"
#include "transfer/exports/paragraphs.h"
#include "transfer/html/plain_text.h"
#include "transfer/html/to_markdown.h"
#include "transfer/ids.h"
#include "transfer/web_address.h"

namespace content::transfer {
namespace {

// Limits of a line, and of an entry with its comments.
constexpr size_t kMaxLineOfExport = size_t{8} << 20;
constexpr size_t kMaxEntryBytes = size_t{32} << 20;

// Lines that end a part of an entry, and an entry.
constexpr absl::string_view kEndOfPart = "-----";
constexpr absl::string_view kEndOfEntry = "--------";

// A note. What a field says that nobody knows may be an address or a password.
constexpr absl::string_view kLeftOutField = "left out a field that is not known";

// The lines of a file, however they end.
class ExportLines {
 public:
  explicit ExportLines(ExportFile& file) : file_(file) {}

  /// Puts the next line into `line`. Returns whether there is one.
  absl::StatusOr<bool> Next(std::string& line) {
    line.clear();
    for (;;) {
      const size_t end = rest_.find_first_of("\r\n");
      absl::StrAppend(&line, rest_.substr(0, end));
      if (line.size() > kMaxLineOfExport) {
        return absl::InvalidArgumentError(
            absl::StrCat("line ", number_ + 1, " has more than ", kMaxLineOfExport, " bytes"));
      }
      if (end != absl::string_view::npos) return EndLine(end);
      const absl::StatusOr<bool> is_filled = Fill();
      if (!is_filled.ok()) return is_filled.status();
      if (!*is_filled) return !line.empty();
    }
  }

 private:
  absl::StatusOr<bool> EndLine(size_t end) {
    const bool is_return = rest_[end] == '\r';
    rest_.remove_prefix(end + 1);
    ++number_;
    if (is_return && rest_.empty()) {
      if (absl::StatusOr<bool> is_filled = Fill(); !is_filled.ok()) return is_filled;
    }
    if (is_return) absl::ConsumePrefix(&rest_, "\n");
    return true;
  }

  absl::StatusOr<bool> Fill() {
    const absl::StatusOr<size_t> count = file_.Read(buffer_.data(), buffer_.size());
    if (!count.ok()) return count.status();
    rest_ = absl::string_view(buffer_.data(), *count);
    return *count > 0;
  }

  ExportFile& file_;
  std::array<char, size_t{64} << 10> buffer_;
  absl::string_view rest_;
  size_t number_ = 0;
};

// "KEY: value". Keys are in capitals.
struct EntryField {
  absl::string_view key;
  absl::string_view value;
};

std::optional<EntryField> ReadEntryField(absl::string_view line) {
  const size_t colon = line.find(':');
  const absl::string_view key = line.substr(0, colon);
  const bool is_key = colon != absl::string_view::npos && !key.empty() &&
                      absl::ascii_isupper(static_cast<unsigned char>(key.front())) &&
                      std::all_of(key.begin(), key.end(), [](char c) {
                        return absl::ascii_isupper(static_cast<unsigned char>(c)) || c == ' ' ||
                               c == '_' || c == '-' ||
                               absl::ascii_isdigit(static_cast<unsigned char>(c));
                      });
  if (!is_key) return std::nullopt;
  return EntryField{key, absl::StripAsciiWhitespace(line.substr(colon + 1))};
}

bool IsFieldOfEntry(absl::string_view line) {
  static constexpr std::array<absl::string_view, 12> kKeys = {
      "ALLOW COMMENTS", "ALLOW PINGS",      "AUTHOR", "BASENAME", "CATEGORY", "CONVERT BREAKS",
      "DATE",           "PRIMARY CATEGORY", "STATUS", "TAGS",     "TITLE",    "UNIQUE URL"};
  const std::optional<EntryField> field = ReadEntryField(line);
  return field && IsAmong(kKeys, field->key);
}

// Other lines such as "UPDATE:" after one of dashes are text.
bool BeginsPart(absl::string_view line) {
  static constexpr std::array<absl::string_view, 6> kKeys = {"BODY",          "COMMENT",  "EXCERPT",
                                                             "EXTENDED BODY", "KEYWORDS", "PING"};
  const std::optional<EntryField> field = ReadEntryField(line);
  return field && field->value.empty() && IsAmong(kKeys, field->key);
}

// Those of Movable Type, and of others which write its format.
bool IsKeyOfComment(absl::string_view key) {
  static constexpr std::array<absl::string_view, 11> kKeys = {
      "APPROVED", "AUTHOR", "DATE",  "EMAIL", "IP",     "PASS",
      "SECRET",   "STATUS", "TITLE", "URL",   "VISIBLE"};
  return IsAmong(kKeys, key);
}

using EntryFields = std::multimap<std::string, std::string, std::less<>>;

std::string ValueOfKey(const EntryFields& fields, absl::string_view key) {
  const auto found = fields.find(key);
  return found == fields.end() ? "" : found->second;
}

// Returns whether a line of the head of a comment that looks like a field must be one. People write
// "NOTE: the link is dead", too, but only after the fields, of which DATE is the last in most
// exports, and never of an address or a password in this way.
bool MustBeField(const EntryField& field, const EntryFields& before) {
  static constexpr std::array<absl::string_view, 4> kOnlyOnce = {"AUTHOR", "DATE", "TITLE", "URL"};
  static constexpr std::array<absl::string_view, 5> kPrivate = {"ADDRESS", "MAIL", "PASS", "PHONE",
                                                                "SECRET"};
  if (IsKeyOfComment(field.key)) {
    return !IsAmong(kOnlyOnce, field.key) || before.find(field.key) == before.end();
  }
  const bool is_name_of_program = std::any_of(field.key.begin(), field.key.end(), [](char c) {
    return c == '_' || c == '-' || absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  return is_name_of_program || before.find(absl::string_view("DATE")) == before.end() ||
         std::any_of(kPrivate.begin(), kPrivate.end(), [&field](absl::string_view word) {
           return absl::StrContains(field.key, word);
         });
}

struct EntryComment {
  EntryFields fields;
  std::string text;
  std::vector<std::string> notes;
  bool is_in_head = true;
  std::string unsure;  // lines of the head that are text if no field follows
};

bool SaysShown(absl::string_view state) {
  static constexpr std::array<absl::string_view, 7> kShown = {
      "1", "approved", "publish", "published", "true", "visible", "yes"};
  return IsAmong(kShown, absl::AsciiStrToLower(state));
}

// The format has no states, but some programs write them.
v1::CommentState StateOfEntryComment(const EntryFields& fields) {
  for (const absl::string_view key : {"APPROVED", "STATUS", "VISIBLE"}) {
    const auto [first, last] = fields.equal_range(key);
    const bool is_shown =
        std::all_of(first, last, [](const auto& field) { return SaysShown(field.second); });
    if (!is_shown) return v1::COMMENT_STATE_PENDING;
  }
  return v1::COMMENT_STATE_VISIBLE;
}

struct ExportedEntry {
  EntryFields fields;
  std::map<std::string, std::string, std::less<>> texts;  // BODY and others
  std::vector<EntryComment> comments;
  size_t bytes = 0;
  bool is_text = true;  // UTF-8

  bool is_too_large() const { return bytes > kMaxEntryBytes; }
};

bool HasParagraphs(absl::string_view html) {
  const std::string lower = absl::AsciiStrToLower(html);
  return absl::StrContains(lower, "<p>") || absl::StrContains(lower, "<p ") ||
         absl::StrContains(lower, "<br");
}

// Returns a text as HTML. `filter` is what CONVERT BREAKS says.
std::string EntryHtml(absl::string_view text, absl::string_view filter) {
  const std::string name = absl::AsciiStrToLower(filter);
  if (absl::StartsWith(name, "markdown")) return MarkdownToHtml(text);
  const bool is_html = name == "0" || name == "richtext" || (name.empty() && HasParagraphs(text));
  return is_html ? std::string(text) : WithParagraphs(text);
}

// 11/13/2008 02:16:10 PM, or the same with 24 hours. UTC: the format has no zone.
std::optional<absl::Time> ParseEntryTime(absl::string_view text) {
  absl::Time time;
  for (const char* const format : {"%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p",
                                   "%m/%d/%Y %H:%M", "%m/%d/%Y"}) {
    if (absl::ParseTime(format, text, &time, nullptr)) return time;
  }
  return ParseDate(text);
}

// The time of the import is no substitute: an old entry would be the newest article.
void SetEntryTime(absl::string_view date, ParsedFile& file) {
  if (const auto time = ParseEntryTime(date)) {
    *file.article.mutable_publish_time() = ToTimestamp(*time);
  } else if (date.empty()) {
    file.notes.emplace_back("it has no date");
  } else {
    file.faults.push_back({0, "DATE is not a date such as 11/13/2008 02:16:10 PM"});
  }
}

// 0: none are shown, 1: open, 2: closed.
bool AreCommentsClosed(const EntryFields& fields) {
  const std::string allowed = ValueOfKey(fields, "ALLOW COMMENTS");
  return allowed == "0" || allowed == "2";
}

std::string WhyDraftEntry(const EntryFields& fields) {
  const std::string status = absl::AsciiStrToLower(ValueOfKey(fields, "STATUS"));
  if (status == "publish" || status == "published") return "";
  if (status == "draft") return "the entry is a draft";
  if (status == "future") return "the entry is scheduled";
  return "the entry does not say that it was published";
}

void AddEntryTag(absl::string_view tag, v1::Article& article) {
  tag = absl::StripAsciiWhitespace(tag);
  if (tag.size() > 1 && tag.front() == '"' && tag.back() == '"')
    tag = tag.substr(1, tag.size() - 2);
  const auto& tags = article.tags();
  if (!tag.empty() && std::find(tags.begin(), tags.end(), tag) == tags.end())
    article.add_tags(std::string(tag));
}

void AddEntryTags(const EntryFields& fields, v1::Article& article) {
  for (const char* const key : {"PRIMARY CATEGORY", "CATEGORY"}) {
    const auto [first, last] = fields.equal_range(absl::string_view(key));
    for (auto field = first; field != last; ++field) AddEntryTag(field->second, article);
  }
  for (const absl::string_view tag : absl::StrSplit(ValueOfKey(fields, "TAGS"), ',')) {
    AddEntryTag(tag, article);
  }
}

// What tells an entry from others, in every export.
std::string EntryKey(const EntryFields& fields) {
  std::string name = ValueOfKey(fields, "BASENAME");
  if (name.empty()) name = ValueOfKey(fields, "TITLE");
  return absl::StrCat(ValueOfKey(fields, "DATE"), " ", FirstCharacters(name, 80));
}

ExportedArticle EntryArticle(const ExportedEntry& entry) {
  ExportedArticle exported;
  v1::Article& article = exported.file.article;
  const std::string title = ValueOfKey(entry.fields, "TITLE");
  const std::string basename = ValueOfKey(entry.fields, "BASENAME");
  const std::string address = LinkAddress(ValueOfKey(entry.fields, "UNIQUE URL"));
  exported.label = absl::StrCat("entry ", basename.empty() ? title : basename);
  exported.key = EntryKey(entry.fields);
  exported.file.draft = WhyDraftEntry(entry.fields);
  article.set_title(title);
  if (const std::string id = IdFromAddress(basename); !id.empty())
    article.set_name(ArticleName(id));
  if (const std::string author = ValueOfKey(entry.fields, "AUTHOR"); !author.empty()) {
    article.add_authors()->set_display_name(author);
  }
  SetEntryTime(ValueOfKey(entry.fields, "DATE"), exported.file);
  if (AreCommentsClosed(entry.fields)) article.set_comment_policy(v1::COMMENT_POLICY_CLOSED);
  AddEntryTags(entry.fields, article);
  if (IsWebAddress(address)) {
    article.set_source_uri(address);
    exported.addresses.push_back(address);
  }
  const std::string filter = ValueOfKey(entry.fields, "CONVERT BREAKS");
  std::string html;
  for (const char* const name : {"BODY", "EXTENDED BODY"}) {
    const auto text = entry.texts.find(absl::string_view(name));
    if (text != entry.texts.end()) absl::StrAppend(&html, EntryHtml(text->second, filter), "\n\n");
  }
  article.set_body(HtmlToMarkdown(html, exported.file.notes));
  if (const auto excerpt = entry.texts.find("EXCERPT"); excerpt != entry.texts.end()) {
    article.set_summary(OneLine(HtmlToPlainText(excerpt->second)));
  }
  return exported;
}

class EntryReader {
 public:
  explicit EntryReader(ExportSink& sink) : sink_(sink) {}

  /// Return whether to go on.
  bool Take(absl::string_view line) {
    line = absl::StripTrailingAsciiWhitespace(line);
    const bool is_end = line == kEndOfPart || line == kEndOfEntry;
    if (is_end && (held_.empty() || held_.front() == kEndOfPart)) {
      held_ = {std::string(line)};
      return true;
    }
    if (held_.empty()) {
      Add(line);
      return true;
    }
    if (line.empty()) {
      held_.emplace_back();
      return true;
    }
    return Resume(line);
  }

  bool Finish() {
    const ExportedEntry entry = std::exchange(entry_, {});
    part_.clear();
    if (entry.fields.empty() && entry.texts.empty()) return true;
    const std::string name = absl::CHexEscape(ValueOfKey(entry.fields, "TITLE"));
    const auto refuse = [&](absl::string_view problem) {
      return sink_.Refuse(ItemKind::kArticle, absl::StrCat("entry ", name), problem);
    };
    if (entry.is_too_large()) return refuse("is too large");
    if (!entry.is_text)
      return refuse("is not UTF-8 text; convert the file, for example with iconv");
    if (!sink_.Take(EntryArticle(entry))) return false;
    return TakeComments(entry);
  }

 private:
  // Goes on after lines that may have ended a part or the entry, if `line` is the first one of
  // another. Otherwise they are text: people draw such lines.
  bool Resume(absl::string_view line) {
    const std::vector<std::string> held = std::exchange(held_, {});
    if (held.front() == kEndOfEntry && IsFieldOfEntry(line)) {
      if (!Finish()) return false;
    } else if (held.front() == kEndOfPart && BeginsPart(line)) {
      part_ = std::string(line.substr(0, line.find(':')));
      if (part_ == "COMMENT") entry_.comments.emplace_back();
      return true;
    } else {
      for (const std::string& text : held) Add(text);
    }
    Add(line);
    return true;
  }

  void Add(absl::string_view line) {
    entry_.bytes += line.size() + 1;
    entry_.is_text = entry_.is_text && IsUtf8(line);
    if (entry_.is_too_large()) return;
    if (part_.empty()) {
      if (const auto field = ReadEntryField(line)) entry_.fields.emplace(field->key, field->value);
    } else if (part_ == "COMMENT") {
      AddToComment(line, entry_.comments.back());
    } else if (part_ != "PING") {
      absl::StrAppend(&entry_.texts[part_], line, "\n");
    }
  }

  // All fields come before the first line of text.
  static void AddToComment(absl::string_view line, EntryComment& comment) {
    const std::optional<EntryField> field = ReadEntryField(line);
    comment.is_in_head = comment.is_in_head && (field || line.empty());
    if (!comment.is_in_head) {
      absl::StrAppend(&comment.text, std::exchange(comment.unsure, ""), line, "\n");
    } else if (!field || !MustBeField(*field, comment.fields)) {
      absl::StrAppend(&comment.unsure, line, "\n");
    } else {
      const bool has_unknown = !absl::StripAsciiWhitespace(comment.unsure).empty();
      if (has_unknown || !IsKeyOfComment(field->key)) comment.notes.emplace_back(kLeftOutField);
      comment.fields.emplace(field->key, field->value);
      comment.unsure.clear();
    }
  }

  bool TakeComments(const ExportedEntry& entry) {
    const std::string key = EntryKey(entry.fields);
    std::map<std::string, int> counts;
    for (const EntryComment& source : entry.comments) {
      const std::string author = ValueOfKey(source.fields, "AUTHOR");
      const std::string date = ValueOfKey(source.fields, "DATE");
      ExportedComment comment;
      // There are no ids. What was written by one author at one time is counted.
      comment.source_id = absl::StrCat(key, " ", date, " ", FirstCharacters(author, 80));
      comment.source_id = absl::StrCat(comment.source_id, " ", ++counts[comment.source_id]);
      comment.article_key = key;
      comment.author_name = author;
      if (const auto time = ParseEntryTime(date)) comment.create_time = *time;
      comment.state = StateOfEntryComment(source.fields);
      comment.notes = source.notes;
      comment.body = EntryHtml(absl::StrCat(source.unsure, source.text), "");
      comment.to_text = HtmlToPlainText;
      const bool is_private = ValueOfKey(source.fields, "SECRET") == "1";
      const bool is_reading =
          is_private ? sink_.LeaveOut(ItemKind::kComment,
                                      absl::StrCat("comment ", comment.source_id), "private")
                     : HandOver(std::move(comment), sink_);
      if (!is_reading) return false;
    }
    return true;
  }

  ExportSink& sink_;
  ExportedEntry entry_;
  std::string part_;               // of the entry; empty: its fields
  std::vector<std::string> held_;  // lines since one that may end a part
};

}  // namespace

bool BeginsLikeMovableType(absl::string_view head) {
  absl::ConsumePrefix(&head, "\uFEFF");
  head = absl::StripLeadingAsciiWhitespace(head);
  return IsFieldOfEntry(head.substr(0, head.find_first_of("\r\n"))) &&
         absl::StrContains(head, kEndOfPart) && absl::StrContains(head, "BODY:");
}

absl::Status ReadMovableType(ExportFile& file, ExportSink& sink) {
  ExportLines lines(file);
  EntryReader reader(sink);
  std::string line;
  bool is_first = true;
  for (;;) {
    const absl::StatusOr<bool> has_line = lines.Next(line);
    if (!has_line.ok()) return has_line.status();
    if (!*has_line) break;
    absl::string_view text = line;
    if (is_first) absl::ConsumePrefix(&text, "\uFEFF");
    is_first = false;
    if (!reader.Take(text)) return absl::OkStatus();
  }
  reader.Finish();
  return absl::OkStatus();
}

}  // namespace content::transfer
