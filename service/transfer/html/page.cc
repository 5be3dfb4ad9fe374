#include "transfer/html/page.h"

#include <gumbo.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "content/text.h"
#include "transfer/block_markdown.h"
#include "transfer/dates.h"
#include "transfer/html/blocks.h"
#include "transfer/html/cleaner.h"
#include "transfer/html/metadata.h"
#include "transfer/html/to_markdown.h"
#include "transfer/html/tree.h"
#include "transfer/inline_markdown.h"
#include "transfer/markdown/front_matter.h"
#include "transfer/markdown/keys.h"
#include "transfer/markdown/markdown.h"

namespace content::transfer {
namespace {

using Test = absl::FunctionRef<bool(const GumboNode&)>;

// The number of bytes of text other than spaces.
size_t TextLength(const GumboNode& node) {
  size_t length = 0;
  Visit(node, [&length](const GumboNode& at) {
    if (at.type == GUMBO_NODE_TEXT) length += absl::string_view(at.v.text.text).size();
    return true;
  });
  return length;
}

const GumboNode* First(const GumboNode& root, Test test) {
  const GumboNode* found = nullptr;
  Visit(root, [&](const GumboNode& node) {
    if (found == nullptr && test(node)) found = &node;
    return found == nullptr;
  });
  return found;
}

// Returns the outermost element with most text of those that `test` is true for; nullptr if there
// is none with text.
const GumboNode* Longest(const GumboNode& root, Test test) {
  const GumboNode* longest = nullptr;
  size_t most = 0;
  Visit(root, [&](const GumboNode& node) {
    if (!test(node)) return true;
    if (const size_t length = TextLength(node); length > most) {
      most = length;
      longest = &node;
    }
    return false;
  });
  return longest;
}

// Returns the element whose paragraphs have most text; nullptr if there are no paragraphs.
const GumboNode* Densest(const GumboNode& root) {
  std::map<const GumboNode*, size_t> weights;
  const GumboNode* densest = nullptr;
  const auto add = [&](const GumboNode* node, size_t weight) {
    if (node == nullptr || !IsElement(*node)) return;
    const size_t sum = weights[node] += weight;
    if (densest == nullptr || sum > weights[densest]) densest = node;
  };
  Visit(root, [&](const GumboNode& node) {
    if (IsElement(node, {GUMBO_TAG_NAV, GUMBO_TAG_ASIDE, GUMBO_TAG_FOOTER})) return false;
    if (!IsElement(node, {GUMBO_TAG_P}) || node.parent == nullptr) return true;
    const size_t length = TextLength(node);
    add(node.parent, length);
    // Paragraphs may be in several sections of one text.
    add(node.parent->parent, length / 2);
    return false;
  });
  return densest;
}

// Returns the element that holds the text of the article.
const GumboNode& FindText(const HtmlTree& tree) {
  const GumboNode& body = tree.body();
  const auto is_entry = [](const GumboNode& node) { return HasWord(node, "class", {"e-content"}); };
  const auto is_article_body = [](const GumboNode& node) {
    return HasWord(node, "itemprop", {"articleBody"});
  };
  // WordPress, Blogger, Substack, dev.to, and names that many themes share.
  const auto is_post = [](const GumboNode& node) {
    return HasWord(
               node, "class",
               {"article-body", "article-content", "article__body", "article__content",
                "available-content", "blog-post-content", "crayons-article__body", "entry-content",
                "post-body", "post-content", "post__content", "story-body", "td-post-content"}) ||
           HasWord(node, "id", {"article-body"});
  };
  const auto is_article = [](const GumboNode& node) {
    return IsElement(node, {GUMBO_TAG_ARTICLE});
  };
  const auto is_main = [](const GumboNode& node) {
    return IsElement(node, {GUMBO_TAG_MAIN}) || HasWord(node, "role", {"main"});
  };
  for (const Test test :
       std::initializer_list<Test>{is_entry, is_article_body, is_post, is_article, is_main}) {
    if (const GumboNode* const text = Longest(body, test); text != nullptr) return *text;
  }
  const bool is_page = First(tree.root(), [](const GumboNode& node) {
                         return IsElement(node, {GUMBO_TAG_TITLE, GUMBO_TAG_META});
                       }) != nullptr;
  const GumboNode* const densest = is_page ? Densest(body) : nullptr;
  return densest != nullptr ? *densest : body;
}

// Returns whether an element is beside the text, as what it is called says.
bool IsBesideText(const GumboNode& node) {
  static constexpr std::initializer_list<absl::string_view> kNames = {"ad",
                                                                      "ads",
                                                                      "advertisement",
                                                                      "author-bio",
                                                                      "author-box",
                                                                      "breadcrumb",
                                                                      "breadcrumbs",
                                                                      "comment-list",
                                                                      "comment-respond",
                                                                      "comments",
                                                                      "entry-footer",
                                                                      "newsletter",
                                                                      "newsletter-signup",
                                                                      "post-footer",
                                                                      "post-tags",
                                                                      "related",
                                                                      "related-posts",
                                                                      "share",
                                                                      "share-buttons",
                                                                      "sharing",
                                                                      "sidebar",
                                                                      "social",
                                                                      "social-share",
                                                                      "subscribe"};
  if (IsElement(node, {GUMBO_TAG_ASIDE})) return true;
  if (IsElement(node, {GUMBO_TAG_FOOTER})) {
    return node.parent == nullptr || !IsElement(*node.parent, {GUMBO_TAG_BLOCKQUOTE});
  }
  // Generators make the id of a heading of its text.
  if (IsElement(node, {GUMBO_TAG_H1, GUMBO_TAG_H2, GUMBO_TAG_H3, GUMBO_TAG_H4, GUMBO_TAG_H5,
                       GUMBO_TAG_H6})) {
    return false;
  }
  return IsByline(node) || HasWord(node, "class", kNames) || HasWord(node, "id", kNames);
}

// A byline or the like is no loss.
void NoteLeftOut(const GumboNode& node, ParsedFile& file) {
  constexpr int kFewWords = 20;
  constexpr size_t kShownCharacters = 60;
  const std::string text = TextOf(node);
  if (CountWords(text) < kFewWords) return;
  file.notes.push_back(absl::StrCat("left out a part beside the text: \"",
                                    FirstCharacters(text, kShownCharacters), "…\""));
}

// The elements in the text of an article that are no part of it: what is beside it, and its head.
// Notes what of it readers may miss.
absl::flat_hash_set<const GumboNode*> ElementsBeside(const GumboNode& text, ParsedFile& file) {
  absl::flat_hash_set<const GumboNode*> beside;
  Visit(text, [&](const GumboNode& node) {
    const bool is_head =
        IsElement(node, {GUMBO_TAG_HEADER}) && First(node, [](const GumboNode& heading) {
                                                 return IsElement(heading, {GUMBO_TAG_H1});
                                               }) != nullptr;
    if (&node == &text || !(is_head || IsBesideText(node))) return true;
    beside.insert(&node);
    if (!is_head) NoteLeftOut(node, file);
    return false;
  });
  return beside;
}

// Removes headings at the beginning that repeat what readers see above the text, and breaks there.
void RemoveHead(const v1::Article& article, std::vector<Block>& blocks) {
  const auto first = std::find_if_not(blocks.begin(), blocks.end(), [&](const Block& block) {
    if (block.kind == Block::Kind::kBreak) return true;
    if (block.kind != Block::Kind::kHeading) return false;
    const std::string text = OneLine(PlainText(block.runs));
    return text == article.title() || text == article.summary();
  });
  blocks.erase(blocks.begin(), first);
}

void AddAuthors(const HtmlMetadata& metadata, v1::Article& article) {
  for (const HtmlMetadata::Author& found : metadata.authors) {
    v1::Author& author = *article.add_authors();
    author.set_display_name(found.name);
    author.set_uri(found.address);
  }
}

// Sets what the page says about itself, and its front matter does not say.
void AddMetadata(const HtmlMetadata& metadata, ParsedFile& file) {
  v1::Article& article = file.article;
  const auto is_missing = [&file](const char* field) { return !file.places.contains(field); };
  if (is_missing("title")) article.set_title(metadata.title);
  if (is_missing("language_code")) article.set_language_code(metadata.language);
  if (is_missing("summary")) article.set_summary(metadata.summary);
  if (article.source_uri().empty()) article.set_source_uri(metadata.address);
  if (is_missing("publish_time") && !article.has_publish_time() && metadata.publish_time) {
    *article.mutable_publish_time() = ToTimestamp(*metadata.publish_time);
  }
  if (is_missing("tags")) {
    for (const std::string& tag : metadata.tags) article.add_tags(tag);
  }
  if (is_missing("authors")) AddAuthors(metadata, article);
}

bool Has(const HtmlTree& tree, Test test) { return First(tree.body(), test) != nullptr; }

// Returns whether a text is nothing but tags of a template: `{{ content }}`, `{% for ... %}`.
bool IsTemplate(absl::string_view text) {
  if (text.empty()) return false;
  while (!text.empty()) {
    const bool is_value = absl::StartsWith(text, "{{");
    if (!is_value && !absl::StartsWith(text, "{%")) return false;
    const size_t end = text.find(is_value ? "}}" : "%}");
    if (end == absl::string_view::npos) return false;
    text = absl::StripLeadingAsciiWhitespace(text.substr(end + 2));
  }
  return true;
}

// Medium's archive contains drafts, which have neither a time nor an address.
bool IsDraftOfMedium(const HtmlTree& tree, const HtmlMetadata& metadata) {
  const auto is_entry = [](const GumboNode& node) { return HasWord(node, "class", {"h-entry"}); };
  return Has(tree, is_entry) && !metadata.publish_time && metadata.address.empty();
}

// Pelican has the keys of front matter in the head of a page.
bool IsDraftOfPelican(const HtmlTree& tree) {
  return First(tree.root(), [](const GumboNode& node) {
           return IsElement(node, {GUMBO_TAG_META}) &&
                  MarksDraft(Attribute(node, "name"), Attribute(node, "content"));
         }) != nullptr;
}

// Returns what a page is about, if it is no article; empty if it may be one. Medium's archive has a
// page about the person whose it is, and lists of articles.
std::string WhyNoArticle(const HtmlTree& tree, const GumboNode& text, absl::string_view title) {
  const auto is_list = [](const GumboNode& node) { return HasWord(node, "data-field", {"lists"}); };
  const auto is_person = [](const GumboNode& node) { return HasWord(node, "class", {"h-card"}); };
  const auto is_article = [](const GumboNode& node) {
    return HasWord(node, "class", {"h-entry"}) ||
           IsElement(node, {GUMBO_TAG_ARTICLE, GUMBO_TAG_MAIN});
  };
  if (Has(tree, is_list)) return "the page is a list of articles";
  if (!Has(tree, is_article) && Has(tree, is_person)) {
    return "the page is about a person; it has no article";
  }
  const bool is_template = absl::StartsWith(title, "{{") || IsTemplate(OneLine(TextOf(text)));
  return is_template ? "the page is a template of other pages; it has no article" : "";
}

}  // namespace

absl::StatusOr<ParsedFile> ParseHtml(absl::string_view content) {
  ParsedFile file;
  if (BeginsWithFrontMatter(content)) {
    const absl::StatusOr<absl::string_view> page = TakeFrontMatter(content, file);
    if (!page.ok()) return page.status();
    content = *page;
  }
  const CleanHtml clean = CleanUp(content);
  const HtmlTree tree(clean.html);
  const GumboNode& text = FindText(tree);
  const HtmlMetadata metadata = ReadHtmlMetadata(tree.root(), text, clean.json_ld);
  file.notes.insert(file.notes.end(), clean.notes.begin(), clean.notes.end());
  const bool is_draft = IsDraftOfMedium(tree, metadata) || IsDraftOfPelican(tree);
  if (is_draft && file.draft.empty()) file.draft = "the file is a draft";
  AddMetadata(metadata, file);
  const std::string problem = WhyNoArticle(tree, text, file.article.title());
  if (!problem.empty()) file.faults.push_back({0, problem});
  std::vector<Block> blocks = BlocksOf(text, ElementsBeside(text, file));
  RemoveHead(file.article, blocks);
  RemoveIdleBreaks(blocks);
  file.article.set_body(BlocksInMarkdown(blocks));
  return file;
}

}  // namespace content::transfer
