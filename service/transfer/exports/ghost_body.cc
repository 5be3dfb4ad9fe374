#include "transfer/exports/ghost_body.h"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/json_items.h"
#include "transfer/exports/markdown_html.h"
#include "transfer/html/escape.h"

namespace content::transfer {
namespace {

std::string HtmlElement(absl::string_view tag, absl::string_view content) {
  return absl::StrCat("<", tag, ">", content, "</", tag, ">");
}

// A paragraph with a link; empty if it leads nowhere.
std::string LinkParagraph(absl::string_view url, absl::string_view text) {
  if (url.empty()) return "";
  return absl::StrCat("<p><a href=\"", EscapedForHtml(url), "\">",
                      EscapedForHtml(text.empty() ? url : text), "</a></p>");
}

std::string ImageTag(const JsonValue& card) {
  const std::string image = absl::StrCat("<img src=\"", EscapedForHtml(TextIn(card, "src")),
                                         "\" alt=\"", EscapedForHtml(TextIn(card, "alt")), "\">");
  const std::string href = TextIn(card, "href");
  return href.empty() ? image
                      : absl::StrCat("<a href=\"", EscapedForHtml(href), "\">", image, "</a>");
}

// Captions are HTML.
std::string FigureElement(absl::string_view content, const JsonValue& card) {
  return HtmlElement("figure",
                     absl::StrCat(content, HtmlElement("figcaption", TextIn(card, "caption"))));
}

std::string GalleryCard(const JsonValue& card) {
  std::string images;
  for (const JsonValue& image : ListIn(card, "images")) absl::StrAppend(&images, ImageTag(image));
  return FigureElement(images, card);
}

std::string CodeCard(const JsonValue& card) {
  const std::string language = TextIn(card, "language");
  return absl::StrCat(
      "<pre><code",
      language.empty() ? "" : absl::StrCat(" class=\"language-", EscapedForHtml(language), "\""),
      ">", EscapedForHtml(TextIn(card, "code")), "</code></pre>",
      HtmlElement("p", TextIn(card, "caption")));
}

std::string BookmarkCard(const JsonValue& card) {
  const JsonValue& metadata = ObjectIn(card, "metadata");
  return absl::StrCat(LinkParagraph(TextIn(card, "url"), TextIn(metadata, "title")),
                      HtmlElement("p", TextIn(card, "caption")));
}

std::string HeaderCard(const JsonValue& card) {
  const std::string below = absl::StrCat(TextIn(card, "subheader"), TextIn(card, "subheading"));
  return absl::StrCat(
      HtmlElement("h2", absl::StrCat(TextIn(card, "header"), TextIn(card, "heading"))),
      HtmlElement("p", below),
      LinkParagraph(TextIn(card, "buttonUrl"), TextIn(card, "buttonText")));
}

std::string ProductCard(const JsonValue& card) {
  return absl::StrCat(HtmlElement("h4", TextIn(card, "productTitle")),
                      HtmlElement("div", TextIn(card, "productDescription")),
                      LinkParagraph(TextIn(card, "productUrl"), TextIn(card, "productButton")));
}

std::string CalloutCard(const JsonValue& card) {
  return HtmlElement(
      "blockquote", HtmlElement("p", absl::StrCat(EscapedForHtml(TextIn(card, "calloutEmoji")), " ",
                                                  TextIn(card, "calloutText"))));
}

std::string ToggleCard(const JsonValue& card) {
  return absl::StrCat(HtmlElement("h4", TextIn(card, "heading")),
                      HtmlElement("div", TextIn(card, "content")));
}

std::string CallToActionCard(const JsonValue& card) {
  return absl::StrCat(HtmlElement("div", TextIn(card, "textValue")),
                      LinkParagraph(TextIn(card, "buttonUrl"), TextIn(card, "buttonText")));
}

std::string MediaCard(const JsonValue& card) {
  const std::string title = absl::StrCat(TextIn(card, "fileTitle"), TextIn(card, "title"));
  return absl::StrCat(LinkParagraph(TextIn(card, "src"), title),
                      HtmlElement("p", TextIn(card, "caption")),
                      HtmlElement("p", TextIn(card, "fileCaption")));
}

// What an editor inserts between paragraphs. Both editors name the same things, often the same.
struct GhostCard {
  absl::string_view name;
  std::string (*html)(const JsonValue& card);
};

constexpr std::array kGhostCards = {
    GhostCard{"audio", MediaCard},
    GhostCard{"bookmark", BookmarkCard},
    GhostCard{"button",
              [](const JsonValue& card) {
                return LinkParagraph(TextIn(card, "buttonUrl"), TextIn(card, "buttonText"));
              }},
    GhostCard{"call-to-action", CallToActionCard},
    GhostCard{"callout", CalloutCard},
    GhostCard{"card-markdown",
              [](const JsonValue& card) { return MarkdownToHtml(TextIn(card, "markdown")); }},
    GhostCard{"code", CodeCard},
    GhostCard{"codeblock", CodeCard},
    GhostCard{"embed", BookmarkCard},
    GhostCard{"file", MediaCard},
    GhostCard{"gallery", GalleryCard},
    GhostCard{"header", HeaderCard},
    GhostCard{"horizontalrule", [](const JsonValue&) { return std::string("<hr>"); }},
    GhostCard{"hr", [](const JsonValue&) { return std::string("<hr>"); }},
    GhostCard{"html", [](const JsonValue& card) { return TextIn(card, "html"); }},
    GhostCard{"image", [](const JsonValue& card) { return FigureElement(ImageTag(card), card); }},
    GhostCard{"markdown",
              [](const JsonValue& card) { return MarkdownToHtml(TextIn(card, "markdown")); }},
    GhostCard{"product", ProductCard},
    GhostCard{"toggle", ToggleCard},
    GhostCard{"video", MediaCard},
};

// Returns whether everybody may see a card on the site.
bool IsPublicCard(const JsonValue& card) {
  const JsonValue& visibility = ObjectIn(card, "visibility");
  const JsonValue& web = ObjectIn(visibility, "web");
  const bool is_on_web = !visibility.contains("showOnWeb") || IsTrueIn(visibility, "showOnWeb");
  return is_on_web && (!web.contains("nonMember") || IsTrueIn(web, "nonMember"));
}

// Cards for e-mails, for members and for subscribing have no HTML.
std::string CardHtml(absl::string_view name, const JsonValue& card) {
  if (!IsPublicCard(card)) return "";
  for (const GhostCard& known : kGhostCards) {
    if (known.name == name) return known.html(card);
  }
  return "";
}

// Bits of a text's format in Lexical.
constexpr std::array<std::pair<uint64_t, absl::string_view>, 4> kLexicalFormats = {
    {{16, "code"}, {4, "s"}, {2, "em"}, {1, "strong"}}};

std::string LexicalText(const JsonValue& node) {
  std::string html = EscapedForHtml(TextIn(node, "text"));
  const JsonValue format = node.value("format", JsonValue());
  if (!format.is_number_unsigned()) return html;
  for (const auto& [bit, tag] : kLexicalFormats) {
    if ((format.get<uint64_t>() & bit) != 0) html = HtmlElement(tag, html);
  }
  return html;
}

std::string LexicalHtml(const JsonValue& node);

std::string LexicalChildren(const JsonValue& node) {
  std::string html;
  for (const JsonValue& child : ListIn(node, "children"))
    absl::StrAppend(&html, LexicalHtml(child));
  return html;
}

// A list in a list is the only child of an item, which belongs to the item before it.
std::string LexicalItem(const JsonValue& node) {
  const JsonValue& children = ListIn(node, "children");
  const bool is_list = !children.empty() && TextIn(children.front(), "type") == "list";
  return absl::StrCat(is_list ? "" : "<li>", LexicalChildren(node));
}

std::string LexicalList(const JsonValue& node) {
  const bool is_ordered = TextIn(node, "listType") == "number";
  const std::string start = IdIn(node, "start");
  if (!is_ordered) return HtmlElement("ul", LexicalChildren(node));
  return absl::StrCat("<ol start=\"", EscapedForHtml(start.empty() ? "1" : start), "\">",
                      LexicalChildren(node), "</ol>");
}

std::string LexicalHtml(const JsonValue& node) {
  const std::string type = TextIn(node, "type");
  if (type == "text" || type == "extended-text") return LexicalText(node);
  if (type == "linebreak") return "<br>";
  if (type == "tab") return " ";
  if (type == "paragraph") return HtmlElement("p", LexicalChildren(node));
  if (type == "heading" || type == "extended-heading") {
    const std::string tag = TextIn(node, "tag");
    const bool is_heading = tag.size() == 2 && tag[0] == 'h' && tag[1] >= '1' && tag[1] <= '6';
    return HtmlElement(is_heading ? tag : "h2", LexicalChildren(node));
  }
  if (type == "quote" || type == "extended-quote" || type == "aside") {
    return HtmlElement("blockquote", LexicalChildren(node));
  }
  if (type == "list") return LexicalList(node);
  if (type == "listitem") return LexicalItem(node);
  if (type == "link" || type == "autolink" || type == "at-link") {
    return absl::StrCat("<a href=\"", EscapedForHtml(TextIn(node, "url")), "\">",
                        LexicalChildren(node), "</a>");
  }
  return node.contains("children") ? LexicalChildren(node) : CardHtml(type, node);
}

// Mobiledoc refers to parts of the document by their number.
const JsonValue& ElementAt(const JsonValue& list, const JsonValue& index) {
  static const JsonValue none;
  if (!list.is_array() || !index.is_number_unsigned()) return none;
  const auto at = index.get<uint64_t>();
  return at < list.size() ? list[at] : none;
}

const JsonValue& ElementAt(const JsonValue& list, size_t index) {
  return ElementAt(list, JsonValue(index));
}

std::string TextAt(const JsonValue& list, size_t index) {
  const JsonValue& element = ElementAt(list, index);
  return element.is_string() ? element.get<std::string>() : "";
}

class Mobiledoc {
 public:
  explicit Mobiledoc(const JsonValue& document) : document_(document) {}

  std::string Html() const {
    std::string html;
    for (const JsonValue& section : ListIn(document_, "sections")) {
      absl::StrAppend(&html, Section(section));
    }
    return html;
  }

 private:
  std::string Section(const JsonValue& section) const {
    const JsonValue& kind = ElementAt(section, 0);
    if (kind == 1) return HtmlElement(TagAt(section, 1, "p"), Text(ElementAt(section, 2)));
    if (kind == 2) return absl::StrCat("<img src=\"", EscapedForHtml(TextAt(section, 1)), "\">");
    if (kind == 3) return List(section);
    if (kind != 10) return "";
    const JsonValue& card = ElementAt(ListIn(document_, "cards"), ElementAt(section, 1));
    return CardHtml(TextAt(card, 0), ElementAt(card, 1));
  }

  std::string List(const JsonValue& section) const {
    std::string items;
    for (const JsonValue& item : ElementAt(section, 2)) {
      absl::StrAppend(&items, HtmlElement("li", Text(item)));
    }
    return HtmlElement(TagAt(section, 1, "ul"), items);
  }

  // Pieces of text, each with the marks that begin before it and the number of those that end after
  // it.
  std::string Text(const JsonValue& markers) const {
    std::string html;
    std::vector<std::string> open;
    for (const JsonValue& marker : markers) {
      for (const JsonValue& number : ElementAt(marker, 1)) {
        const JsonValue& mark = ElementAt(ListIn(document_, "markups"), number);
        open.push_back(TagAt(mark, 0, "span"));
        absl::StrAppend(&html, "<", open.back(), Href(ElementAt(mark, 1)), ">");
      }
      absl::StrAppend(&html, Piece(marker));
      const JsonValue& closed = ElementAt(marker, 2);
      if (!closed.is_number_unsigned()) continue;
      for (auto count = closed.get<uint64_t>(); count > 0 && !open.empty(); --count) {
        absl::StrAppend(&html, "</", open.back(), ">");
        open.pop_back();
      }
    }
    return html;
  }

  std::string Piece(const JsonValue& marker) const {
    if (ElementAt(marker, 0) != 1) return EscapedForHtml(TextAt(marker, 3));
    const JsonValue& atom = ElementAt(ListIn(document_, "atoms"), ElementAt(marker, 3));
    return TextAt(atom, 0) == "soft-return" ? "<br>" : EscapedForHtml(TextAt(atom, 1));
  }

  // Attributes are names and values in turn.
  static std::string Href(const JsonValue& attributes) {
    for (size_t i = 0; i + 1 < attributes.size(); i += 2) {
      if (TextAt(attributes, i) != "href") continue;
      return absl::StrCat(" href=\"", EscapedForHtml(TextAt(attributes, i + 1)), "\"");
    }
    return "";
  }

  // Returns the name of an element, if it is one that texts have.
  static std::string TagAt(const JsonValue& list, size_t index, absl::string_view otherwise) {
    static constexpr std::array<absl::string_view, 20> kTags = {
        "a",  "b", "blockquote", "code", "em", "h1",     "h2",  "h3",  "h4", "h5",
        "h6", "i", "ol",         "p",    "s",  "strong", "sub", "sup", "u",  "ul"};
    std::string name = TextAt(list, index);
    for (const absl::string_view tag : kTags) {
      if (name == tag) return name;
    }
    return std::string(name == "aside" || name == "pull-quote" ? "blockquote" : otherwise);
  }

  const JsonValue& document_;
};

// Ghost marks the parts of a text that not all readers of the page see.
std::string WithoutGatedParts(absl::string_view html) {
  constexpr absl::string_view kBegin = "<!--kg-gated-block:begin";
  constexpr absl::string_view kEnd = "<!--kg-gated-block:end-->";
  std::string result;
  for (;;) {
    const size_t begin = html.find(kBegin);
    absl::StrAppend(&result, html.substr(0, begin));
    if (begin == absl::string_view::npos) return result;
    html.remove_prefix(begin);
    const absl::string_view marks = html.substr(0, html.find("-->"));
    const size_t end = html.find(kEnd);
    if (absl::StrContains(marks, "nonMember:true")) absl::StrAppend(&result, html.substr(0, end));
    if (end == absl::string_view::npos) return result;
    html.remove_prefix(end + kEnd.size());
  }
}

std::string StoredHtml(const JsonValue& post) {
  if (const std::string html = TextIn(post, "html"); !html.empty()) return WithoutGatedParts(html);
  const JsonValue lexical = ParseJsonDocument(TextIn(post, "lexical"));
  if (lexical.is_object()) return LexicalHtml(ObjectIn(lexical, "root"));
  const JsonValue mobiledoc = ParseJsonDocument(TextIn(post, "mobiledoc"));
  if (mobiledoc.is_object()) return Mobiledoc(mobiledoc).Html();
  return MarkdownToHtml(TextIn(post, "markdown"));
}

// Replaces what stands for the address of the site: addresses may begin at its root.
std::string WithSiteAddress(absl::string_view html) {
  return absl::StrReplaceAll(html, {{"\"__GHOST_URL__\"", "\"/\""}, {"__GHOST_URL__", ""}});
}

}  // namespace

std::string GhostBodyHtml(const JsonValue& post) { return WithSiteAddress(StoredHtml(post)); }

std::string GhostImageHtml(absl::string_view address, absl::string_view alt,
                           absl::string_view caption) {
  const JsonValue card = {{"src", address}, {"alt", alt}, {"caption", caption}};
  return WithSiteAddress(FigureElement(ImageTag(card), card));
}

}  // namespace content::transfer
