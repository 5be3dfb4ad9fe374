#include "transfer/exports/blogger.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "content/names.h"
#include "content/text.h"
#include "transfer/dates.h"
#include "transfer/exports/paragraphs.h"
#include "transfer/exports/xml.h"
#include "transfer/html/escape.h"
#include "transfer/html/plain_text.h"
#include "transfer/html/to_markdown.h"
#include "transfer/ids.h"

namespace content::transfer {
namespace {

// "http://schemas.google.com/blogger/2008/kind#post" -> "POST"
std::string KindOf(const XmlElement& entry) {
  if (const absl::string_view type = entry.TextOf("type"); !type.empty()) return std::string(type);
  for (const XmlElement& category : entry.children) {
    if (category.name != "category") continue;
    const absl::string_view term = category.Attribute("term");
    const size_t kind = term.find("/kind#");
    if (kind != absl::string_view::npos) return absl::AsciiStrToUpper(term.substr(kind + 6));
  }
  return "";
}

// Returns the state as Takeout says it.
std::string StatusOf(const XmlElement& entry) {
  if (const XmlElement* const trashed = entry.Child("trashed");
      trashed != nullptr && !absl::StripAsciiWhitespace(trashed->text).empty()) {
    return "TRASHED";
  }
  if (const absl::string_view status = entry.TextOf("status"); !status.empty()) {
    return std::string(status);
  }
  const XmlElement* const control = entry.Child("control");
  const absl::string_view draft = control == nullptr ? "" : control->TextOf("draft");
  return draft.empty() || absl::EqualsIgnoreCase(draft, "no") ? "LIVE" : "DRAFT";
}

// Returns the address of the link of an entry; empty if it has none.
absl::string_view LinkOf(const XmlElement& entry, absl::string_view relation) {
  const auto link = std::find_if(
      entry.children.begin(), entry.children.end(), [relation](const XmlElement& child) {
        return child.name == "link" && child.Attribute("rel") == relation;
      });
  return link == entry.children.end() ? "" : link->Attribute("href");
}

// Numbers of Blogger are unique in the world. "tag:blogger.com,1999:blog-1.post-23" -> "23"
std::string IdOfEntry(absl::string_view id) {
  const size_t post = id.rfind(".post-");
  if (!absl::StartsWith(id, "tag:blogger.com") || post == absl::string_view::npos) {
    return std::string(id);
  }
  return std::string(id.substr(post + 6));
}

absl::Time PublishedOf(const XmlElement& entry) {
  return ParseDate(entry.TextOf("published")).value_or(absl::InfinitePast());
}

// The tags of a post are categories without a kind. In Takeout they may be empty.
void AddLabels(const XmlElement& entry, v1::Article& article) {
  for (const XmlElement& child : entry.children) {
    if (child.name != "category" || absl::StrContains(child.Attribute("term"), "/kind#")) continue;
    const std::string tag = OneLine(child.Attribute("term"));
    const auto& tags = article.tags();
    if (!tag.empty() && std::find(tags.begin(), tags.end(), tag) == tags.end()) {
      article.add_tags(tag);
    }
  }
}

void AddAuthor(const XmlElement& entry, v1::Article& article) {
  const XmlElement* const author = entry.Child("author");
  const std::string name = author == nullptr ? "" : OneLine(author->TextOf("name"));
  if (!name.empty() && name != "Unknown" && !absl::StrContains(name, '@')) {
    article.add_authors()->set_display_name(name);
  }
}

// Writes what is in an element of XHTML as HTML.
void AppendHtml(const XmlElement& element, std::string& html) {
  const absl::string_view text = element.text;
  size_t at = 0;
  for (const XmlElement& child : element.children) {
    absl::StrAppend(&html, EscapedForHtml(text.substr(at, child.offset - at)), "<", child.name);
    at = child.offset;
    for (const auto& [name, value] : child.attributes) {
      absl::StrAppend(&html, " ", name, "=\"", EscapedForHtml(value), "\"");
    }
    absl::StrAppend(&html, ">");
    AppendHtml(child, html);
    // In HTML, "</br>" is another line break.
    if (child.name != "br") absl::StrAppend(&html, "</", child.name, ">");
  }
  absl::StrAppend(&html, EscapedForHtml(text.substr(at)));
}

// Returns the HTML of a field, which Atom has as text or as elements.
std::string HtmlOf(const XmlElement& entry, absl::string_view name) {
  const XmlElement* const field = entry.Child(name);
  if (field == nullptr) return "";
  if (field->Attribute("type") != "xhtml") return std::string(entry.TextOf(name));
  std::string html;
  AppendHtml(*field, html);
  return html;
}

// Titles are often escaped once more than XML needs.
std::string TitleOfEntry(const XmlElement& entry) {
  return OneLine(HtmlToPlainText(HtmlOf(entry, "title")));
}

// What was written without any tag for it has its paragraphs by line ends.
bool HasLines(absl::string_view html) {
  const std::string lower = absl::AsciiStrToLower(html);
  return !absl::StrContains(lower, "<br") && !absl::StrContains(lower, "<p") &&
         !absl::StrContains(lower, "<div");
}

std::string MarkdownOfPost(absl::string_view html, std::vector<std::string>& notes) {
  return HtmlToMarkdown(HasLines(html) ? WithParagraphs(html) : std::string(html), notes);
}

std::string TextOfComment(absl::string_view html) {
  return HasLines(html) ? PlainTextOfLines(html) : HtmlToPlainText(html);
}

ExportedArticle ArticleOf(const XmlElement& entry, absl::string_view status) {
  ExportedArticle exported;
  const std::string id(entry.TextOf("id"));
  exported.label = absl::StrCat("post ", IdOfEntry(id));
  exported.key = id;
  v1::Article& article = exported.file.article;
  article.set_title(TitleOfEntry(entry));
  article.set_body(MarkdownOfPost(HtmlOf(entry, "content"), exported.file.notes));
  article.set_summary(OneLine(entry.TextOf("metaDescription")));
  AddAuthor(entry, article);
  AddLabels(entry, article);
  if (const absl::Time time = PublishedOf(entry); time != absl::InfinitePast()) {
    *article.mutable_publish_time() = ToTimestamp(time);
  } else {
    exported.file.notes.emplace_back("it has no date that can be read");
  }
  exported.file.update_time = ParseDate(entry.TextOf("updated"));
  const absl::string_view link = LinkOf(entry, "alternate");
  const absl::string_view path = entry.TextOf("filename");
  for (const absl::string_view address : {link, path}) {
    if (!address.empty()) exported.addresses.emplace_back(address);
  }
  article.set_source_uri(link.data(), link.size());
  const std::string article_id = IdFromAddress(link.empty() ? path : link);
  if (!article_id.empty()) article.set_name(ArticleName(article_id));
  if (status != "LIVE" && status != "SCHEDULED") {
    exported.file.draft = absl::StrCat("the post is ", absl::AsciiStrToLower(status));
  } else if (status == "SCHEDULED" && !article.has_publish_time()) {
    exported.file.draft = "the post is scheduled for a time that is not known";
  }
  return exported;
}

// Returns the id of the comment that this one replies to.
std::string RepliedTo(const XmlElement& entry) {
  if (const absl::string_view parent = entry.TextOf("inReplyTo"); !parent.empty()) {
    return IdOfEntry(parent);
  }
  const absl::string_view related = LinkOf(entry, "related");
  const size_t slash = related.rfind('/');
  return slash == absl::string_view::npos ? "" : std::string(related.substr(slash + 1));
}

// Readers of Blogger have profiles, with addresses of their own. What else stands there may be
// anybody's.
std::string AuthorKeyOf(const XmlElement& author) {
  const absl::string_view uri = author.TextOf("uri");
  return absl::StrContains(uri, "/profile/") ? std::string(uri) : "";
}

ExportedComment CommentOf(const XmlElement& entry) {
  ExportedComment comment;
  comment.source_id = IdOfEntry(entry.TextOf("id"));
  comment.parent_source_id = RepliedTo(entry);
  comment.article_key = std::string(entry.TextOf("parent"));
  if (const XmlElement* const reply = entry.Child("in-reply-to"); reply != nullptr) {
    comment.article_key = std::string(absl::StripAsciiWhitespace(reply->Attribute("ref")));
    comment.address = std::string(reply->Attribute("href"));
  }
  if (comment.address.empty()) comment.address = std::string(LinkOf(entry, "alternate"));
  if (const XmlElement* const author = entry.Child("author"); author != nullptr) {
    comment.author_name = OneLine(author->TextOf("name"));
    comment.author_key = AuthorKeyOf(*author);
  }
  comment.create_time = PublishedOf(entry);
  comment.body = HtmlOf(entry, "content");
  comment.to_text = TextOfComment;
  return comment;
}

// Returns whether the text of a comment was removed. In its place is a sentence that says so.
bool IsRemoved(const XmlElement& entry, absl::string_view status) {
  return absl::StartsWith(status, "EMPTIED") ||
         std::any_of(entry.children.begin(), entry.children.end(), [](const XmlElement& child) {
           return child.name == "extendedProperty" &&
                  child.Attribute("name") == "blogger.contentRemoved" &&
                  child.Attribute("value") == "true";
         });
}

bool TakeComment(const XmlElement& entry, absl::string_view status, ExportSink& sink) {
  ExportedComment comment = CommentOf(entry);
  const std::string label = absl::StrCat("comment ", comment.source_id);
  if (!entry.problem.empty()) return sink.Refuse(ItemKind::kComment, label, entry.problem);
  if (absl::StartsWith(status, "SPAM")) return sink.LeaveOut(ItemKind::kComment, label, "spam");
  if (status == "TRASHED") return sink.LeaveOut(ItemKind::kComment, label, "in the trash");
  if (IsRemoved(entry, status)) {
    comment.state = v1::COMMENT_STATE_DELETED;
    comment.notes.emplace_back("its text was removed; only its place is kept");
  } else if (status == "LIVE") {
    comment.state = v1::COMMENT_STATE_VISIBLE;
  } else if (absl::StartsWith(status, "GHOSTED")) {
    comment.state = v1::COMMENT_STATE_DELETED;
    comment.notes.emplace_back("Blogger has hidden it; only its place is kept");
  } else {
    comment.state = v1::COMMENT_STATE_PENDING;
    comment.notes.push_back(
        absl::StrCat("its state ", absl::AsciiStrToLower(status), " waits for a moderator"));
  }
  return sink.Take(std::move(comment));
}

bool TakeEntry(const XmlElement& entry, ExportSink& sink) {
  const std::string kind = KindOf(entry);
  const std::string status = StatusOf(entry);
  if (kind == "COMMENT") return TakeComment(entry, status, sink);
  if (kind != "POST" && kind != "PAGE") {
    const std::string label = absl::StrCat("entry ", IdOfEntry(entry.TextOf("id")));
    if (!entry.problem.empty()) return sink.Refuse(ItemKind::kArticle, label, entry.problem);
    return sink.LeaveOut(ItemKind::kArticle, label,
                         kind.empty() ? "of no kind" : absl::AsciiStrToLower(kind));
  }
  ExportedArticle exported = ArticleOf(entry, status);
  if (status == "TRASHED" || absl::StartsWith(status, "SOFT_TRASHED")) {
    exported.left_out = "in the trash";
  }
  return sink.Take(std::move(exported));
}

}  // namespace

bool BeginsLikeBlogger(absl::string_view head) {
  const size_t feed = head.find("feed");
  if (!absl::StartsWith(absl::StripLeadingAsciiWhitespace(absl::StripPrefix(head, "\uFEFF")),
                        "<") ||
      feed == absl::string_view::npos) {
    return false;
  }
  return absl::StrContains(head, "schemas.google.com/blogger/") ||
         absl::StrContains(head, "tag:blogger.com,1999:blog-") ||
         absl::StrContains(head, "generator>Blogger");
}

absl::Status ReadBlogger(ExportFile& file, ExportSink& sink) {
  return ReadXml(file, {.depth = 1}, [&sink](const XmlElement& element, const XmlElement*) {
    return element.name != "entry" || TakeEntry(element, sink);
  });
}

}  // namespace content::transfer
