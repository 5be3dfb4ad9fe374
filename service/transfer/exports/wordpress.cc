#include "transfer/exports/wordpress.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "content/names.h"
#include "content/text.h"
#include "transfer/among.h"
#include "transfer/author_name.h"
#include "transfer/dates.h"
#include "transfer/exports/addresses.h"
#include "transfer/exports/paragraphs.h"
#include "transfer/exports/shortcodes.h"
#include "transfer/exports/wordpress_html.h"
#include "transfer/exports/xml.h"
#include "transfer/html/plain_text.h"
#include "transfer/html/to_markdown.h"
#include "transfer/ids.h"
#include "transfer/web_address.h"

namespace content::transfer {
namespace {

// Whether an element is one of WordPress's own. The version of the format is in the namespace.
bool IsOfWordPress(const XmlElement& element) {
  return element.space == "wp" || (absl::StrContains(element.space, "wordpress.org/export/") &&
                                   !absl::StrContains(element.space, "excerpt"));
}

// Returns a child that is WordPress's own; nullptr if there is none.
const XmlElement* OwnChild(const XmlElement& parent, absl::string_view name) {
  const auto child =
      std::find_if(parent.children.begin(), parent.children.end(),
                   [name](const XmlElement& at) { return at.name == name && IsOfWordPress(at); });
  return child == parent.children.end() ? nullptr : &*child;
}

// Returns its text.
absl::string_view Own(const XmlElement& parent, absl::string_view name) {
  const XmlElement* const child = OwnChild(parent, name);
  return child == nullptr ? "" : absl::StripAsciiWhitespace(child->text);
}

// Returns `encoded` of a namespace: content or excerpt.
absl::string_view Encoded(const XmlElement& item, absl::string_view space) {
  const auto child =
      std::find_if(item.children.begin(), item.children.end(), [space](const XmlElement& at) {
        return at.name == "encoded" && absl::StrContains(at.space, space);
      });
  return child == item.children.end() ? "" : absl::string_view(child->text);
}

// WordPress writes zeros if it has no date.
std::optional<absl::Time> DateIn(absl::string_view text) {
  return absl::StartsWith(text, "0000") ? std::nullopt : ParseDate(text);
}

// Returns the blog's own time, of which the zone is not known. Posts and comments that came there
// in odd ways have no other.
std::optional<absl::Time> LocalTimeOf(absl::string_view text, std::vector<std::string>& notes) {
  const auto time = DateIn(text);
  if (time) notes.emplace_back("the time is that of the blog's zone, which is not known");
  return time;
}

// Returns when a post is published, in UTC; nullopt if the export does not say.
std::optional<absl::Time> PublishTimeOf(const XmlElement& item) {
  if (const auto time = DateIn(Own(item, "post_date_gmt"))) return time;
  const auto time = DateIn(item.TextOf("pubDate"));
  // So WordPress writes a time that it has not.
  return time == absl::UnixEpoch() ? std::nullopt : time;
}

// `footnotes` is the field of the post for these.
std::string MarkdownOf(absl::string_view content, absl::string_view footnotes,
                       std::vector<std::string>& notes) {
  const bool has_blocks = absl::StrContains(content, "<!-- wp:");
  const std::string html = WithFootnotes(
      WithEscapedCode(WithoutShortcodes(WithoutBlocksForMembers(content, notes), notes)),
      footnotes);
  return HtmlToMarkdown(has_blocks ? html : WithParagraphs(html), notes);
}

void AddTerms(const XmlElement& item, v1::Article& article) {
  for (const XmlElement& child : item.children) {
    const absl::string_view domain = child.Attribute("domain");
    const bool is_tag = child.name == "category" &&
                        (domain == "category" || domain == "post_tag" || domain == "tag");
    const std::string tag = is_tag ? OneLine(HtmlToPlainText(child.text)) : "";
    const auto& tags = article.tags();
    if (tag.empty() || child.Attribute("nicename") == "uncategorized") continue;
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) article.add_tags(tag);
  }
}

// Names are HTML.
std::string NameIn(absl::string_view text) {
  return OneLine(WithoutEmailAddresses(HtmlToPlainText(text)));
}

// The ids that a post had before it was renamed.
void AddFormerNames(const XmlElement& item, ParsedFile& file) {
  for (const XmlElement& child : item.children) {
    if (child.name != "postmeta" || Own(child, "meta_key") != "_wp_old_slug") continue;
    const std::string id = IdFromName(PercentDecoded(Own(child, "meta_value")), "");
    if (!id.empty()) file.former_names.push_back(id);
  }
}

// Returns the value of a field of a plugin; empty if the post has none.
absl::string_view Meta(const XmlElement& item, absl::string_view key) {
  const auto meta = std::find_if(
      item.children.begin(), item.children.end(),
      [key](const XmlElement& at) { return at.name == "postmeta" && Own(at, "meta_key") == key; });
  return meta == item.children.end() ? "" : Own(*meta, "meta_value");
}

// The plugin of Disqus copies comments into WordPress.
bool IsCopyOfDisqus(const XmlElement& comment) {
  return absl::StartsWith(Own(comment, "comment_agent"), "Disqus/") ||
         std::any_of(comment.children.begin(), comment.children.end(), [](const XmlElement& at) {
           return at.name == "commentmeta" && Own(at, "meta_key") == "dsq_post_id";
         });
}

// Returns whether the value of a field by which a plugin hides posts says that it hides this one.
bool IsHiding(absl::string_view value) {
  constexpr std::array<absl::string_view, 10> kPublic = {
      "", "0", "a:0:{}", "all", "everybody", "everyone", "false", "no", "none", "public"};
  return !IsAmongIgnoringCase(kPublic, value);
}

bool IsForMembers(const XmlElement& item) {
  constexpr std::array<absl::string_view, 17> kKeys = {"_is_paid",
                                                       "_jetpack_newsletter_access",
                                                       "_members_access_role",
                                                       "_wpmem_block",
                                                       "groups-groups_read_post",
                                                       "groups-read",
                                                       "passster_activate_protection",
                                                       "patreon-level",
                                                       "pms-content-restrict-subscription-plan",
                                                       "pms-content-restrict-user-status",
                                                       "rcp_access_level",
                                                       "rcp_subscription_level",
                                                       "rcp_user_level",
                                                       "s2member_ccaps_req",
                                                       "wppb-content-restrict-user-role",
                                                       "wppb-content-restrict-user-status",
                                                       "memberful_acl"};
  // Ultimate Member keeps its settings in one field. 2: for those who are logged in.
  const absl::string_view settings = Meta(item, "um_content_restriction");
  return absl::StrContains(settings, R"(_um_accessible";s:1:"2")") ||
         absl::StrContains(settings, R"(_um_accessible";i:2;)") ||
         std::any_of(kKeys.begin(), kKeys.end(),
                     [&item](absl::string_view key) { return IsHiding(Meta(item, key)); });
}

// Returns why readers do not see the item; empty if they do.
std::string DraftOf(const XmlElement& item) {
  const absl::string_view status = Own(item, "status");
  const XmlElement* const password = OwnChild(item, "post_password");
  // A space is one too.
  if (password != nullptr && !password->text.empty()) return "the post has a password";
  if (IsForMembers(item)) return "the post is for members or subscribers";
  if (status == "future" && !PublishTimeOf(item)) {
    return "the post is scheduled for a time that is not known";
  }
  if (status == "publish" || status == "future") return "";
  return absl::StrCat("the post is ", status.empty() ? "of no known state" : status);
}

class WordPressReader {
 public:
  explicit WordPressReader(ExportSink& sink) : sink_(sink) {}

  bool Take(const XmlElement& element, const XmlElement* from) {
    if (from != nullptr) return TakeComment(element, *from);
    if (element.name == "item") return TakeItem(element);
    ReadAbout(element);
    return true;
  }

 private:
  // What a file says of the blog.
  void ReadAbout(const XmlElement& element) {
    const absl::string_view text = absl::StripAsciiWhitespace(element.text);
    if ((element.name == "link" && element.space.empty()) ||
        (element.name == "base_blog_url" && IsOfWordPress(element))) {
      if (!text.empty()) sink_.SetOrigin(NormalAddress(text));
    } else if (element.name == "language") {
      language_ = std::string(text);
    } else if (element.name == "author" && IsOfWordPress(element)) {
      std::string name = NameIn(Own(element, "author_display_name"));
      if (name.empty()) {
        name = NameIn(
            absl::StrCat(Own(element, "author_first_name"), " ", Own(element, "author_last_name")));
      }
      authors_.try_emplace(std::string(Own(element, "author_login")), std::move(name));
    }
  }

  bool TakeItem(const XmlElement& item) {
    const std::string type(Own(item, "post_type"));
    const std::string label = absl::StrCat(type.empty() ? "item" : type, " ", Own(item, "post_id"));
    if (!item.problem.empty()) return sink_.Refuse(ItemKind::kArticle, label, item.problem);
    ExportedArticle exported;
    exported.label = label;
    exported.key = std::string(Own(item, "post_id"));
    exported.addresses = {std::string(item.TextOf("link")), std::string(item.TextOf("guid"))};
    if (type != "post" && type != "page") {
      exported.left_out = type.empty() ? "of no known type" : absl::StrCat("of type ", type);
    } else if (Own(item, "status") == "trash") {
      exported.left_out = "in the trash";
    } else {
      exported.file.draft = DraftOf(item);
      if (exported.file.draft.empty()) Fill(item, exported);
    }
    return sink_.Take(std::move(exported));
  }

  void Fill(const XmlElement& item, ExportedArticle& exported) const {
    ParsedFile& file = exported.file;
    v1::Article& article = file.article;
    article.set_title(OneLine(HtmlToPlainText(item.TextOf("title"))));
    article.set_body(MarkdownOf(Encoded(item, "content"), Meta(item, "footnotes"), file.notes));
    article.set_summary(OneLine(HtmlToPlainText(Encoded(item, "excerpt"))));
    article.set_language_code(language_);
    std::optional<absl::Time> time = PublishTimeOf(item);
    if (!time) time = LocalTimeOf(Own(item, "post_date"), file.notes);
    if (time) {
      *article.mutable_publish_time() = ToTimestamp(*time);
    } else {
      file.notes.emplace_back("it has no date that can be read");
    }
    file.update_time = DateIn(Own(item, "post_modified_gmt"));
    AddAuthors(item, article);
    AddTerms(item, article);
    AddFormerNames(item, file);
    const std::string id = IdFromName(PercentDecoded(Own(item, "post_name")), "");
    if (!id.empty()) article.set_name(ArticleName(id));
    const std::string link(item.TextOf("link"));
    if (IsWebAddress(link)) article.set_source_uri(link);
    if (Own(item, "comment_status") == "closed") {
      article.set_comment_policy(v1::COMMENT_POLICY_CLOSED);
    }
  }

  // With Co-Authors Plus, whoever has posted it may be none of its authors.
  void AddAuthors(const XmlElement& item, v1::Article& article) const {
    std::vector<std::string> names;
    for (const XmlElement& child : item.children) {
      if (child.name != "category" || child.Attribute("domain") != "author") continue;
      names.push_back(CoAuthorIn(child));
    }
    const auto no_name = [](const std::string& name) { return name.empty(); };
    if (std::all_of(names.begin(), names.end(), no_name)) {
      names = {AuthorOf(item.TextOf("creator"))};
    }
    for (const std::string& name : names) {
      if (!name.empty()) article.add_authors()->set_display_name(name);
    }
  }

  // A guest has no login. A word alone may be one, though.
  std::string CoAuthorIn(const XmlElement& category) const {
    const absl::string_view login = absl::StripAsciiWhitespace(category.text);
    const auto author = authors_.find(login);
    if (author != authors_.end()) return author->second;
    return absl::StrContains(login, ' ') ? NameIn(login) : "";
  }

  // From version 1.1 on, a list says the names of authors, and an item only the login.
  std::string AuthorOf(absl::string_view creator) const {
    const auto author = authors_.find(creator);
    if (author != authors_.end()) return author->second;
    return authors_.empty() ? NameIn(creator) : "";
  }

  bool TakeComment(const XmlElement& element, const XmlElement& item) {
    const absl::string_view id = Own(element, "comment_id");
    const std::string label = absl::StrCat("comment ", id);
    if (!element.problem.empty()) {
      return sink_.Refuse(ItemKind::kComment, label, element.problem);
    }
    const absl::string_view type = Own(element, "comment_type");
    const absl::string_view approved = Own(element, "comment_approved");
    if (!type.empty() && type != "comment") return LeaveOutComment(label, type);
    if (approved == "spam") return LeaveOutComment(label, "spam");
    if (approved == "trash" || approved == "post-trashed") {
      return LeaveOutComment(label, "in the trash");
    }
    ExportedComment comment{.source_id = std::string(id)};
    if (const absl::string_view parent = Own(element, "comment_parent"); parent != "0") {
      comment.parent_source_id = std::string(parent);
    }
    comment.article_key = std::string(Own(item, "post_id"));
    comment.address = std::string(item.TextOf("link"));
    comment.author_name = NameIn(Own(element, "comment_author"));
    if (const absl::string_view user = Own(element, "comment_user_id");
        !user.empty() && user != "0") {
      comment.author_key = absl::StrCat("user ", user);
    }
    std::optional<absl::Time> time = DateIn(Own(element, "comment_date_gmt"));
    if (!time) time = LocalTimeOf(Own(element, "comment_date"), comment.notes);
    comment.create_time = time.value_or(absl::InfinitePast());
    comment.body = std::string(Own(element, "comment_content"));
    comment.to_text = PlainTextOfLines;
    if (IsCopyOfDisqus(element)) {
      comment.notes.emplace_back("it is in Disqus too, whose export would bring it in again");
    }
    if (approved == "1") {
      comment.state = v1::COMMENT_STATE_VISIBLE;
    } else if (approved != "0") {
      comment.notes.push_back(absl::StrCat("its state \"", approved, "\" waits for a moderator"));
    }
    return sink_.Take(std::move(comment));
  }

  bool LeaveOutComment(absl::string_view label, absl::string_view reason) {
    return sink_.LeaveOut(ItemKind::kComment, label, reason);
  }

  ExportSink& sink_;
  std::string language_;
  absl::flat_hash_map<std::string, std::string> authors_;  // names by logins
};

}  // namespace

bool BeginsLikeWordPress(absl::string_view head) {
  return absl::StrContains(head, "<rss") && absl::StrContains(head, "wordpress.org/export/");
}

absl::Status ReadWordPress(ExportFile& file, ExportSink& sink) {
  WordPressReader reader(sink);
  return ReadXml(file, {.depth = 2, .detached_name = "comment"},
                 [&reader](const XmlElement& element, const XmlElement* from) {
                   return reader.Take(element, from);
                 });
}

}  // namespace content::transfer
