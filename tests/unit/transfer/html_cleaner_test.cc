#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "transfer/html/cleaner.h"
#include "transfer/html/tree.h"

namespace content::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Cleaned(const std::string& html) { return CleanUp(html).html; }

size_t DepthOf(const GumboNode& node) {
  size_t depth = 0;
  const Children children(node);
  for (size_t i = 0; i < children.size(); ++i) depth = std::max(depth, DepthOf(children[i]));
  return depth + 1;
}

size_t CountNodes(const GumboNode& node) {
  size_t count = 0;
  Visit(node, [&count](const GumboNode&) {
    ++count;
    return true;
  });
  return count;
}

TEST(HtmlCleaner, KeepsElementsAndAttributesThatAreRead) {
  EXPECT_EQ(Cleaned("<P CLASS=a onclick='b' ID=\"c\">d &amp; e</P>"),
            "<p class=\"a\" id=\"c\">d &amp; e</p>");
  EXPECT_EQ(Cleaned("<img src='a\"b'/>"), "<img src=\"a&quot;b\">");
  EXPECT_EQ(Cleaned("<p id=a id=b>"), "<p id=\"a\">");
  EXPECT_EQ(Cleaned("<title>a<b></title>"), "<title>a&lt;b></title>");
}

TEST(HtmlCleaner, ReadsTagsAsBrowsersDo) {
  EXPECT_EQ(Cleaned("a < b <3 </ c>d"), "a &lt; b &lt;3 d");
  EXPECT_EQ(Cleaned("<b\n/id = a>"), "<b id=\"a\">");
  EXPECT_EQ(Cleaned("<b id=a/>"), "<b id=\"a/\">");
  EXPECT_EQ(Cleaned("<b onclick='>'>"), "<b>");
  EXPECT_EQ(Cleaned("a<b title='"), "a");
  EXPECT_EQ(Cleaned("a<!-->b<!--->c<!-- -- > --!>d<!-- e"), "abcd");
  EXPECT_EQ(Cleaned("a<!DOCTYPE b><?c d?><![CDATA[e]]>f"), "af");
}

TEST(HtmlCleaner, DropsWhatIsNoText) {
  EXPECT_EQ(Cleaned("a<script>b<c></SCRIPT >d<o:p>e</o:p><style>f"), "ade");
  EXPECT_EQ(Cleaned("<svg/>a<svg><p>b</svg>c"), "ac");
}

TEST(HtmlCleaner, FormulasAreCodeIfThereIsTex) {
  EXPECT_EQ(Cleaned("a<math><mi>x</mi><annotation-xml>n</annotation-xml>"
                    "<annotation encoding=\"application/x-tex\"> x&lt;2<b> </annotation></math>b"),
            "a<code class=\"math\">x&lt;2&lt;b></code>b");
  EXPECT_EQ(Cleaned("<script type='math/tex; mode=display'>x < 2 & y</script>"),
            "<code class=\"math\">x &lt; 2 &amp; y</code>");
  EXPECT_EQ(Cleaned("<script type='math/mml'><math><mi>x</mi></math></script>"), "x");
  EXPECT_EQ(Cleaned("<math><p>a</p></math><math>b"), "<p>a</p>b");
  EXPECT_THAT(CleanUp("<math><math>a</math></math><math>b</math>").notes,
              ElementsAre("kept only the text of 3 formulas"));
}

TEST(HtmlCleaner, FormulasWithoutAnEndTakeNoTextWithThem) {
  const std::string formula =
      "<MATH><mi>x</mi><annotation encoding='application/x-tex'>x^2</annotation></MATH>";
  EXPECT_EQ(Cleaned("a<math/> b" + formula + "c"), "a b<code class=\"math\">x^2</code>c");
  EXPECT_EQ(Cleaned("a<math><mi>y</mi><b>b</b>" + formula + formula + "c"),
            "ay<b>b</b><code class=\"math\">x^2</code><code class=\"math\">x^2</code>c");
}

TEST(HtmlCleaner, FormulasTakeLinearTime) {
  std::string formulas;
  for (int i = 0; i < 300'000; ++i) formulas += "<math><annotation ";
  EXPECT_EQ(Cleaned(formulas + ">a</math>"), "a");
  std::string scripts;
  for (int i = 0; i < 300'000; ++i) scripts += "<script type='math/mml'>";
  EXPECT_EQ(Cleaned(scripts + "a</script>b"), "ab");
}

TEST(HtmlCleaner, FindsJsonLd) {
  EXPECT_THAT(CleanUp("<script type='application/ld+json'>{\"a\": \"<b>\"}</script>").json_ld,
              ElementsAre("{\"a\": \"<b>\"}"));
  EXPECT_THAT(CleanUp("<script type='text/javascript'>{}</script>").json_ld, IsEmpty());
}

TEST(HtmlCleaner, NotesWhatReadersMiss) {
  EXPECT_THAT(
      CleanUp("a<iframe src='https://e.org/'></iframe><video>b</video><video></video>").notes,
      ElementsAre("left out 1 <iframe>", "left out 2 <video> elements"));
  EXPECT_THAT(CleanUp("<script>a</script><style>b</style>c").notes, IsEmpty());
  for (const std::string rest : {"<b title='and so on", "<script> and so on", "<!-- and so on"}) {
    EXPECT_THAT(CleanUp("a" + rest).notes, ElementsAre(HasSubstr("the page ends in"))) << rest;
  }
}

// What the parser takes for nested is never much deeper than what the cleaner takes for it.
TEST(HtmlCleaner, BoundsTheDepthOfTheTree) {
  static constexpr const char* kTags[] = {
      "<div>",      "</div>",    "<p>",           "</p>",    "<b>",     "</b>",     "<a href=x>",
      "</a>",       "<span>",    "</span>",       "<li>",    "</li>",   "<ul>",     "</ul>",
      "<ol>",       "<dt>",      "<dd>",          "</dd>",   "<table>", "</table>", "<tr>",
      "</tr>",      "<td>",      "</td>",         "<th>",    "<tbody>", "</tbody>", "<caption>",
      "</caption>", "<h1>",      "</h1>",         "<h2>",    "</h2>",   "<form>",   "</form>",
      "<i>",        "</i>",      "<code id=",     "</code>", "<ruby>",  "<rt>",     "</ruby>",
      "<details>",  "<summary>", "</summary>",    "<main>",  "</main>", "<center>", "</center>",
      "<hgroup>",   "</hgroup>", "<font size=2>", "</font>", "<q>",     "</q>",     "<tfoot>",
      "</tfoot>",   "<pre>",     "</pre>",        "x"};
  std::mt19937 random(20250615);
  std::uniform_int_distribution<size_t> tag(0, std::size(kTags) - 1);
  std::uniform_int_distribution<int> length(1, 7);
  for (int i = 0; i < 60; ++i) {
    std::vector<std::string> pattern;
    for (int n = length(random); n > 0; --n) pattern.emplace_back(kTags[tag(random)]);
    std::string html;
    for (int n = 0; n < 300; ++n) {
      for (const std::string& part : pattern) {
        absl::StrAppend(&html, part, part.back() == '=' ? absl::StrCat(n, ">") : "");
      }
    }
    const HtmlTree tree(Cleaned(html));
    EXPECT_LT(DepthOf(tree.root()), 400U) << html.substr(0, 80);
    EXPECT_LT(CountNodes(tree.root()), 40'000U) << html.substr(0, 80);
  }
}

}  // namespace
}  // namespace content::transfer
