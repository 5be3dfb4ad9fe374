#include "transfer/html/plain_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "content/text.h"
#include "transfer/html/blocks.h"

namespace content::transfer {
namespace {

using ::testing::SizeIs;

TEST(HtmlToPlainText, KeepsParagraphsAndLines) {
  const std::map<std::string, std::string> cases = {
      {"", ""},
      {"<p> </p>", ""},
      {"The tide\n  was <b>low</b>.", "The tide was low."},
      {"<p>One.</p><p>Two.<br>Three.</p>", "One.\n\nTwo.\nThree."},
      {"One.<br /><br />Two.<br>", "One.\n\nTwo."},
      {"<div>One.</div>Two.", "One.\n\nTwo."},
      {"<h2>Tides</h2>Low.<hr>High.", "Tides\n\nLow.\n\n* * *\n\nHigh."},
      {"a &lt;b&gt; &amp;amp; c &#39;d&#39; *e* _f_ # g", "a <b> &amp; c 'd' *e* _f_ # g"},
      {"<del> $10</del> $5", "~~$10~~ $5"},
      {"say <code>ls -l</code><pre>\n  a\n    b</pre>", "say ls -l\n\n  a\n    b"}};
  for (const auto& [html, text] : cases) EXPECT_EQ(HtmlToPlainText(html), text) << html;
}

TEST(HtmlToPlainText, MarksListsAndQuotes) {
  EXPECT_EQ(HtmlToPlainText("<ul><li>One<li>Two<br>lines<ul><li>Inner</ul></ul>"),
            "- One\n- Two\n  lines\n  - Inner");
  EXPECT_EQ(HtmlToPlainText("<ol start=9><li>One<li>Two<br>lines</ol>"),
            "9. One\n10. Two\n    lines");
  EXPECT_EQ(HtmlToPlainText("<ul><li><p>One<p>More<li><p>Two</ul>"), "- One\n\n  More\n\n- Two");
  EXPECT_EQ(HtmlToPlainText("<blockquote><p>One.</p><p>Two.<br>Three.</p></blockquote>Yes."),
            "> One.\n>\n> Two.\n> Three.\n\nYes.");
}

TEST(HtmlToPlainText, WritesAddressesThatTheTextDoesNotShow) {
  const std::map<std::string, std::string> cases = {
      {"see <a href='https://e.org/a?b=1&amp;c=2'>my <b>log</b></a>!",
       "see my log (https://e.org/a?b=1&c=2)!"},
      {"<a href='https://e.org/a'>https://e.org/a</a>", "https://e.org/a"},
      {"<a href='https://e.org/'>e.org</a>", "e.org"},
      {"<a href='https://e.org/ü'>https://e.org/ü</a>", "https://e.org/ü"},
      {"<a href='https://e.org/a/b'>e.org/a…</a>", "e.org/a… (https://e.org/a/b)"},
      {"<a href='https://e.org/a'>one</a> <a href='https://e.org/b'>two</a>",
       "one (https://e.org/a) two (https://e.org/b)"},
      // These lead nowhere from a comment, or to somebody's mailbox.
      {"@<a href='#c12'>Ada</a>", "@Ada"},
      {"<a href='/about'>about</a>", "about"},
      {"<a href='mailto:ada@example.org'>write</a>", "write"},
      {"<a href='java&#10;script:alert(1)'>x</a>", "x"},
      {"<img src='https://e.org/a.png' alt='A quay'>", "A quay (https://e.org/a.png)"},
      {"<img src='https://e.org/a.png'>", "https://e.org/a.png"},
      {"<img src='https://e.org/smile.png' alt=':)'> <img src='https://e.org/1f300.png' alt='🌀'>",
       ":) 🌀"}};
  for (const auto& [html, text] : cases) EXPECT_EQ(HtmlToPlainText(html), text) << html;
}

TEST(HtmlToPlainText, LeavesOutWhatReadersDoNotSee) {
  EXPECT_EQ(HtmlToPlainText("a<script>alert(1)</script><style>b {}</style><!-- c -->"
                            "<form><input value=d></form><span style='display: none'>e</span>f"),
            "af");
  EXPECT_EQ(HtmlToPlainText("a<img src='https://e.org/p.gif' width=1 height=1>b"), "ab");
  const std::string text = HtmlToPlainText("a&#1;b\x01&#133;<pre>c&#13;d&#12;e\x7F</pre>");
  EXPECT_FALSE(HasForbiddenCharacter(text, /*one_line=*/false)) << text;
  EXPECT_EQ(text, "ab…\n\nc\nd\ne");
}

// A comment at the end of HTML says nothing, but needs a parser.
TEST(HtmlToPlainText, IsTheSameWithoutAParser) {
  std::mt19937 random(17);
  const std::vector<std::string> pieces = {
      "<p>",  "</p>",    "<br>",         "<br/>",         "<br />", " ",      "\n",  "\t",
      "word", "a\u0301", "\u6c34\u4f4d", "\u00A0",        "\uFEFF", "\u200B", "]]>", "\"'",
      "#1",   "> x",     "\U0001F6A2",   "and more of it"};
  for (int i = 0; i < 3'000; ++i) {
    std::string html;
    for (size_t left = random() % 12; left > 0; --left) html += pieces[random() % pieces.size()];
    ASSERT_TRUE(BlocksOfPlainHtml(html)) << html;
    ASSERT_EQ(HtmlToPlainText(html), HtmlToPlainText(html + "<!---->")) << html;
  }
}

TEST(HtmlToPlainText, ParsesWhatIsMoreThanParagraphs) {
  for (const char* const html :
       {"<b>a</b>", "a<", "a < b", "<p", "<p class=x>a", "a &amp; b", "a & b", "a\rb", "a\fb",
        "a\x01", "a\x7F", "a\u0085", "a\xFF", "\uFFFE", "\U0001FFFF", "\uFDD0", "</br>", "<P>"}) {
    EXPECT_FALSE(BlocksOfPlainHtml(html)) << html;
  }
  EXPECT_FALSE(BlocksOfPlainHtml(std::string(100'000, 'a')));
}

// In quadratic time, this would take minutes.
TEST(HtmlToPlainText, BearsHostileHtml) {
  for (const std::string piece :
       {"<blockquote>", "<ul><li>", "<a href='https://e.org/'>b", "<b>a<p>", "<table><tr><td>", "<",
        "&", "a<br>", "<p>a", "<img src=https://e.org/ alt=a>"}) {
    std::string html;
    while (html.size() < 100'000) html.append(piece);
    EXPECT_THAT(HtmlToPlainText(html), SizeIs(::testing::Lt(20'000'000))) << piece;
  }
}

}  // namespace
}  // namespace content::transfer
