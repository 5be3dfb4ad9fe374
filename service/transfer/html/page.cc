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
void RemoveHead(const HtmlMetadata& metadata, std::vector<Block>& blocks) {
  const auto first = std::find_if_not(blocks.begin(), blocks.end(), [&](const Block& block) {
    if (block.kind == Block::Kind::kBreak) return true;
    if (block.kind != Block::Kind::kHeading) return false;
    const std::string text = OneLine(PlainText(block.runs));
    return text == metadata.title || text == metadata.summary;
  });
  blocks.erase(blocks.begin(), first);
}

void SetMetadata(const HtmlMetadata& metadata, v1::Article& article) {
  article.set_title(metadata.title);
  article.set_language_code(metadata.language);
  article.set_summary(metadata.summary);
  article.set_source_uri(metadata.address);
  if (metadata.publish_time) *article.mutable_publish_time() = ToTimestamp(*metadata.publish_time);
  for (const std::string& tag : metadata.tags) article.add_tags(tag);
  for (const HtmlMetadata::Author& found : metadata.authors) {
    v1::Author& author = *article.add_authors();
    author.set_display_name(found.name);
    author.set_uri(found.address);
  }
}

// Medium's archive contains drafts, which have neither a time nor an address, and a page about the
// person whose it is.
void CheckIsArticle(const HtmlTree& tree, const HtmlMetadata& metadata, ParsedFile& file) {
  const auto has_class = [&tree](absl::string_view name) {
    return First(tree.body(), [name](const GumboNode& node) {
             return HasWord(node, "class", {name});
           }) != nullptr;
  };
  const bool is_entry = has_class("h-entry");
  if (is_entry && !metadata.publish_time && metadata.address.empty()) {
    file.draft = "the file is a draft";
  }
  const bool has_article =
      is_entry || First(tree.body(), [](const GumboNode& node) {
                    return IsElement(node, {GUMBO_TAG_ARTICLE, GUMBO_TAG_MAIN});
                  }) != nullptr;
  if (!has_article && has_class("h-card")) {
    file.faults.push_back({0, "the page is about a person; it has no article"});
  }
}

}  // namespace

absl::StatusOr<ParsedFile> ParseHtml(absl::string_view content) {
  const CleanHtml clean = CleanUp(content);
  const HtmlTree tree(clean.html);
  const GumboNode& text = FindText(tree);
  const HtmlMetadata metadata = ReadHtmlMetadata(tree.root(), text, clean.json_ld);
  ParsedFile file;
  file.notes = clean.notes;
  CheckIsArticle(tree, metadata, file);
  SetMetadata(metadata, file.article);
  std::vector<Block> blocks = BlocksOf(text, ElementsBeside(text, file));
  RemoveHead(metadata, blocks);
  RemoveIdleBreaks(blocks);
  file.article.set_body(BlocksInMarkdown(blocks));
  return file;
}

}  // namespace content::transfer
