#include <cmark.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <gumbo.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "transfer/html/cleaner.h"
#include "transfer/html/to_markdown.h"
#include "transfer/html/tree.h"

namespace content::transfer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// What a renderer that lets all HTML through makes of a text.
std::string RenderUnsafe(const std::string& markdown) {
  const std::unique_ptr<char, decltype(&std::free)> html(
      cmark_markdown_to_html(markdown.data(), markdown.size(), CMARK_OPT_UNSAFE), &std::free);
  return html.get();
}

// The elements that a text may become, and their attributes.
const std::map<std::string, std::set<std::string>>& AllowedElements() {
  static const auto& elements = *new std::map<std::string, std::set<std::string>>{
      {"html", {}},        {"head", {}},
      {"body", {}},        {"p", {}},
      {"br", {}},          {"h1", {}},
      {"h2", {}},          {"h3", {}},
      {"h4", {}},          {"h5", {}},
      {"h6", {}},          {"em", {}},
      {"strong", {}},      {"ul", {}},
      {"li", {}},          {"pre", {}},
      {"blockquote", {}},  {"hr", {}},
      {"a", {"href"}},     {"ol", {"start"}},
      {"code", {"class"}}, {"img", {"src", "alt"}}};
  return elements;
}

bool IsHarmlessAddress(absl::string_view address) {
  const size_t end = address.find_first_of(":/?#");
  if (end == absl::string_view::npos || address[end] != ':') return true;
  const absl::string_view scheme = address.substr(0, end);
  return scheme == "http" || scheme == "https" || scheme == "mailto" || scheme == "tel" ||
         scheme == "HTTP" || scheme == "HTTPS";
}

// Adds what `node` and the nodes in it have that they must not have.
void AddHarm(const GumboNode& node, std::vector<std::string>& harm) {
  if (node.type == GUMBO_NODE_COMMENT) harm.emplace_back("comment");
  if (node.type != GUMBO_NODE_ELEMENT) return;
  const GumboElement& element = node.v.element;
  const std::string name = gumbo_normalized_tagname(element.tag);
  const auto allowed = AllowedElements().find(name);
  if (allowed == AllowedElements().end()) {
    harm.push_back(absl::StrCat("<", name, ">"));
    return;
  }
  for (unsigned int i = 0; i < element.attributes.length; ++i) {
    const auto& attribute = *static_cast<const GumboAttribute*>(element.attributes.data[i]);
    const std::string where =
        absl::StrCat("<", name, " ", attribute.name, "=", attribute.value, ">");
    if (!allowed->second.contains(attribute.name)) harm.push_back(where);
    const bool is_address =
        absl::string_view(attribute.name) == "href" || absl::string_view(attribute.name) == "src";
    if (is_address && !IsHarmlessAddress(attribute.value)) harm.push_back(where);
  }
  for (unsigned int i = 0; i < element.children.length; ++i) {
    AddHarm(*static_cast<const GumboNode*>(element.children.data[i]), harm);
  }
}

std::vector<std::string> HarmIn(const std::string& html) {
  GumboOutput* const page = gumbo_parse(html.c_str());
  std::vector<std::string> harm;
  AddHarm(*page->root, harm);
  gumbo_destroy_output(&kGumboDefaultOptions, page);
  return harm;
}

std::string MarkdownOf(absl::string_view html) {
  std::vector<std::string> notes;
  return HtmlToMarkdown(html, notes);
}

// Checks that the text of `html` is harmless however it is rendered, and that rendering it and
// reading it again changes nothing, unless it may have strikes, which this renderer does not know.
void ExpectHarmlessAndStable(const std::string& html) {
  const std::string markdown = MarkdownOf(html);
  const std::string rendered = RenderUnsafe(markdown);
  EXPECT_THAT(HarmIn(rendered), ::testing::IsEmpty()) << html << "\n" << markdown;
  if (absl::StrContains(markdown, "~~")) return;
  EXPECT_EQ(MarkdownOf(rendered), markdown) << html << "\n" << rendered;
}

TEST(HtmlToMarkdown, KeepsRunningText) {
  const std::map<std::string, std::string> cases = {
      {"<p>One.</p><p>Two.</p>", "One.\n\nTwo."},
      {"One.<div>Two.</div>Three.", "One.\n\nTwo.\n\nThree."},
      {"<p>a <b>b</b> <i>c</i> <b><i>d</i></b></p>", "a **b** *c* ***d***"},
      {"<p>a <strong>b <em>c</em></strong></p>", "a **b *c***"},
      {"<p>wo<b>r</b>d</p>", "wo**r**d"},
      {"<p>a<b> b </b>c</p>", "a **b** c"},
      {"<p>a<br>b</p>", "a\\\nb"},
      {"a<br><br>b<br/>\n<br/>c", "a\n\nb\n\nc"},
      {"<p>a <a href='https://e.org/x_y?z=(1)'>b *c*</a></p>",
       "a [b \\*c\\*](https://e.org/x_y?z=\\(1\\))"},
      {"<p><b>a <a href='/x'>b</a> c</b></p>", "**a [b](/x) c**"},
      {"<p><a href='/x'><img src='/i.png' alt='An [i]'></a></p>", "[![An \\[i\\]](/i.png)](/x)"},
      {"<p>say <code>a`b</code> or <code>`</code></p>", "say ``a`b`` or `` ` ``"},
      {"<p>10<sup>6</sup> of H<sub>2</sub>O<sup>th</sup></p>", "10⁶ of H₂Oth"},
      {"<p><q>a</q></p>", "“a”"},
      {"<p>x&nbsp;y &lt;b&gt; &amp;amp; &copy;</p>", "x\u00A0y \\<b> \\&amp; ©"},
      {"<p>&nbsp;</p><p>a</p><p><br></p>", "a"},
      {"<b>a<p>b</p></b>", "**a**\n\n**b**"},
      {"<p><b style='font-weight:normal'>a <span style='font-weight: 700'>b</span></b></p>",
       "a **b**"},
      {"<p>a <a name='top'></a><a href=' '>b</a><a href='/x'></a></p>", "a b"},
      {"<h2>A <a class='headerlink' href='#a'>¶</a></h2><h3>C #</h3>", "## A\n\n### C \\#"},
      {"a<hr>b<hr><hr>", "a\n\n***\n\nb"},
      {"<del><p>a</p></del>", "a"},
      {"<p>~~a~~ ~b~ https://e.org/~c</p>", "\\~\\~a\\~\\~ \\~b\\~ https://e.org/~c"},
      {"<p>a <span class=katex><span class=katex-mathml><math><semantics><mi>x</mi><annotation "
       "encoding='application/x-tex'>x^2+\\frac12</annotation></semantics></math></span><span "
       "class=katex-html aria-hidden=true>x2</span></span></p>",
       "a `x^2+\\frac12`"},
      {"<p><span class=katex><span class=katex-html>x2</span></span></p>", "x2"},
      {"<p><span class=MathJax_Preview></span><span class=MathJax>y2</span> <script "
       "type='math/tex'>y^2</script> <span class=MathJax>z</span></p>",
       "`y^2` z"},
  };
  for (const auto& [html, markdown] : cases) {
    EXPECT_EQ(MarkdownOf(html), markdown) << html;
    ExpectHarmlessAndStable(html);
  }
}

TEST(HtmlToMarkdown, StrikesOut) {
  const std::map<std::string, std::string> cases = {
      {"<p><del>$10</del> $5 <s>a <b>b</b><strike>c</strike></s></p>", "~~$10~~ $5 ~~a **b**c~~"},
      {"<p>a<del> </del><del></del><s>b</s></p>", "a ~~b~~"},
      {"<del> x </del>y", "~~x~~ y"},
      {"x<s>&nbsp;<i> a </i></s>b", "x\u00A0 ~~*a*~~ b"},
      {"<s>a</s><s>b</s> <s>c</s>", "~~ab~~ ~~c~~"},
      {"<s>a<br> b </s>c", "~~a~~\\\n~~b~~ c"},
      {"<s>a<br><br>b</s>", "~~a~~\n\n~~b~~"},
      {"<s>- ~a</s>", "~~- \\~a~~"},
      {"<b><s>a</s></b>", "**~~a~~**"},
      {"<a href=/x>a <s>b</s></a>", "[a ~~b~~](/x)"},
      {"<code><s>a</s></code>", "~~`a`~~"},
      {"<table><tr><td><s>a</s><td>b<tr><td>c<td>d</table>", "- ~~a~~\\\n  b\n- c\\\n  d"},
  };
  for (const auto& [html, markdown] : cases) {
    EXPECT_EQ(MarkdownOf(html), markdown) << html;
    EXPECT_THAT(HarmIn(RenderUnsafe(markdown)), ::testing::IsEmpty()) << html;
  }
}

TEST(HtmlToMarkdown, KeepsBlocks) {
  const std::map<std::string, std::string> cases = {
      {"<ul><li>a<li>b<ul><li>c</ul></ul>", "- a\n- b\n  - c"},
      {"<ul><li>a</li><ul><li>b</li></ul></ul>", "- a\n  - b"},
      {"<ol start=9><li>a</li><li>b<p>c</p></li></ol>", "9. a\n\n10. b\n\n    c"},
      {"<ul><li><p>a</p></li><li><p>b</p></li></ul>", "- a\n\n- b"},
      {"<ul><li>a</li></ul><ul><li>b</li></ul><ol><li>c</li></ol><ol><li>d</li></ol>",
       "- a\n\n* b\n\n1. c\n\n1) d"},
      {"<ul><li>a<ol start=3><li>b</li></ol></li></ul>", "- a\n\n  3. b"},
      {"<blockquote><p>a</p><blockquote>b</blockquote><ul><li>c</ul></blockquote>d",
       "> a\n>\n> > b\n>\n> - c\n\nd"},
      {"<ul><li><hr>a<hr></li></ul>", "- ___\n  a\n  ___"},
      {"<pre><code class='language-c++'>a\n\n  b &lt;c&gt;\n</code></pre>",
       "```c++\na\n\n  b <c>\n```"},
      {"<pre>```\n~~~</pre>", "````\n```\n~~~\n````"},
      {"<pre><code><span class=line><span class=ln>1</span>x := 1\n</span></code></pre>",
       "```\nx := 1\n```"},
      {"<table class=lntable><tr><td class=lntd><pre><code><span class=lnt>1\n</span></code></pre>"
       "</td><td class=lntd><pre><code class=language-go>x := 1\n</code></pre></td></table>",
       "```go\nx := 1\n```"},
      {"<pre><code><span class=ln>int main() {</span>\n<span class=ln>}</span></code></pre>",
       "```\nint main() {\n}\n```"},
      {"<p>Ada <span class=ln>Byron</span></p>", "Ada Byron"},
      {"<div class='highlight-source-sh'><pre>a<br>b</pre></div>", "```sh\na\nb\n```"},
      {"<ul><li>a<pre>b\n\nc</pre></li></ul>", "- a\n  ```\n  b\n\n  c\n  ```"},
      {"<figure><img src=i.png alt=a><figcaption>b</figcaption></figure>", "![a](i.png)\n\nb"},
      {"<dl><dt>a</dt><dd>b</dd></dl>", "**a**\n\nb"},
      {"<ul><li><input type=checkbox checked> a<li><input type=checkbox> b</ul>", "- ☑ a\n- ☐ b"},
      {"<h1>a</h1><h6>b<br>c</h6>", "# a\n\n###### b c"},
  };
  for (const auto& [html, markdown] : cases) {
    EXPECT_EQ(MarkdownOf(html), markdown) << html;
    ExpectHarmlessAndStable(html);
  }
}

TEST(HtmlToMarkdown, MakesCodeListsOrBlocksOfTables) {
  const std::map<std::string, std::string> cases = {
      {"<table><caption>Tides</caption><tr><th>Port<th>Height<tr><td>Bergen<td>1.4</table>",
       "Tides\n\n```\nPort   | Height\n-------|-------\nBergen | 1.4\n```"},
      {"<table><tr><th>A<th>B<tr><td><a href='/x'>c</a><td>d<tr><td>e<td></table>",
       "- **A:** [c](/x)\\\n  **B:** d\n- **A:** e"},
      {"<table><tr><td rowspan=2>a<td>b<tr><td>c<tr><td colspan=2>d</table>",
       "```\na | b\n  | c\nd |\n```"},
      {"<table><tr><td><p>a</p><ul><li>b</ul><td>c</table>", "a\n\n- b\n\nc"},
      {"<table role=presentation><tr><td>a<td>b<tr><td>c<td>d</table>", "a\n\nb\n\nc\n\nd"},
      {"<table><tr><td><table><tr><td>a</table><td>b</table>", "a\n\nb"},
  };
  for (const auto& [html, markdown] : cases) {
    EXPECT_EQ(MarkdownOf(html), markdown) << html;
    ExpectHarmlessAndStable(html);
  }
}

TEST(HtmlToMarkdown, LeavesOutWhatIsNoText) {
  for (const std::string html : {"<script>a</script>",
                                 "<style>a</style>",
                                 "<noscript>a</noscript>",
                                 "<!-- a -->",
                                 "<form>a<input value=a><button>a</button></form>",
                                 "<iframe src=a>a</iframe>",
                                 "<nav>a</nav>",
                                 "<svg><title>a</title><text>a</text></svg>",
                                 "<p hidden>a</p>",
                                 "<p style='display: none'>a</p>",
                                 "<template>a</template>",
                                 "<object>a</object>",
                                 "<select><option>a</select>",
                                 "<textarea>a</textarea>",
                                 "<video src=a>a</video>",
                                 "<img src='https://e.org/a.gif' width=1 height=1>",
                                 "<img src=a style='width:1px'>",
                                 "<img src='https://pixel.wp.com/a'>",
                                 "<img src='data:image/gif;base64,a'>",
                                 "<img alt=a>",
                                 "<p class='button-wrapper'><a href='/a'>a</a></p>",
                                 "<title>a</title>",
                                 "<?a ?>",
                                 "<!a>"}) {
    EXPECT_EQ(MarkdownOf(absl::StrCat("b ", html)), "b") << html;
  }
}

TEST(HtmlToMarkdown, FindsImagesThatLoadLate) {
  EXPECT_EQ(MarkdownOf("<img src='data:image/gif;base64,R0' data-src='/a.png'>"), "![](/a.png)");
  EXPECT_EQ(MarkdownOf("<img srcset='/a.png 1x, /b.png 2x'>"), "![](/a.png)");
}

// Text is text even if it looks like markup, wherever it stands.
TEST(HtmlToMarkdown, EscapesAnyMixOfMarkup) {
  static constexpr const char* kPieces[] = {"a",       "b",
                                            "1",       "2",
                                            ".",       ")",
                                            "-",       "+",
                                            "*",       "_",
                                            "#",       "&amp;",
                                            "amp;",    "&lt;",
                                            "&gt;",    "[",
                                            "]",       "(",
                                            "!",       "`",
                                            "~",       "\\",
                                            ":",       "/",
                                            " ",       "=",
                                            "|",       "“",
                                            "—",       "\"",
                                            "<b>",     "</b>",
                                            "<i>",     "</i>",
                                            "<br>",    "~~~",
                                            "```",     "<a href='/x'>",
                                            "</a>",    "<code>",
                                            "</code>", "<img src=x alt='*]('>",
                                            "是",      "。",
                                            "&nbsp;",  "<q>",
                                            "</q>"};
  std::mt19937 random(20250612);
  std::uniform_int_distribution<size_t> piece(0, std::size(kPieces) - 1);
  for (int i = 0; i < 500; ++i) {
    std::string html;
    for (int n = 0; n < 9; ++n) html += kPieces[piece(random)];
    ASSERT_NO_FATAL_FAILURE(ExpectHarmlessAndStable(html));
  }
}

// Counts a letter in what a reader sees of some HTML.
std::ptrdiff_t CountSeen(const std::string& html, char letter) {
  const HtmlTree tree(CleanUp(html).html);
  const std::string text = TextOf(tree.body());
  return std::count(text.begin(), text.end(), letter);
}

TEST(HtmlToMarkdown, KeepsTheTextOfAnyMixOfTags) {
  static constexpr const char* kPieces[] = {"<p>",
                                            "</p>",
                                            "<div>",
                                            "</div>",
                                            "<ul>",
                                            "</ul>",
                                            "<ol start=7>",
                                            "</ol>",
                                            "<li>",
                                            "</li>",
                                            "<blockquote>",
                                            "</blockquote>",
                                            "<h2>",
                                            "</h2>",
                                            "<pre>",
                                            "</pre>",
                                            "<b>",
                                            "</b>",
                                            "<em>",
                                            "</em>",
                                            "<a href='https://e.org'>",
                                            "</a>",
                                            "<code>",
                                            "</code>",
                                            "<br>",
                                            "<hr>",
                                            "<table>",
                                            "</table>",
                                            "<tr>",
                                            "<td>",
                                            "<th>",
                                            "</td>",
                                            "x",
                                            "y. ",
                                            "- ",
                                            "1. ",
                                            "<img src=i alt=z>",
                                            "<figure>",
                                            "</figure>",
                                            "<dl>",
                                            "<dt>",
                                            "<dd>",
                                            "</dl>",
                                            " ",
                                            "&nbsp;"};
  std::mt19937 random(20250613);
  std::uniform_int_distribution<size_t> piece(0, std::size(kPieces) - 1);
  for (int i = 0; i < 500; ++i) {
    std::string html;
    for (int n = 0; n < 14; ++n) html += kPieces[piece(random)];
    ExpectHarmlessAndStable(html);
    const std::string rendered = RenderUnsafe(MarkdownOf(html));
    EXPECT_EQ(CountSeen(rendered, 'x'), CountSeen(html, 'x')) << html << "\n" << rendered;
    EXPECT_EQ(CountSeen(rendered, 'y'), CountSeen(html, 'y')) << html << "\n" << rendered;
    if (::testing::Test::HasFailure()) break;
  }
}

// In the manner of OWASP's list of ways around filters.
TEST(HtmlToMarkdown, LetsNoScriptThrough) {
  const std::vector<std::string> cases = {
      "<script>alert(1)</script>",
      "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
      "<SCRIPT/XSS SRC=\"https://evil.example/x.js\"></SCRIPT>",
      "<SCRIPT/SRC=\"https://evil.example/x.js\"></SCRIPT>",
      "<<SCRIPT>alert(\"1\");//\\<</SCRIPT>",
      "<SCRIPT SRC=https://evil.example/x.js?< B >",
      "<SCRIPT SRC=//evil.example/.j>",
      "<script\n>alert(1)</script\n>",
      "<scr<script>ipt>alert(1)</scr</script>ipt>",
      "<script>/* </script ><b onclick=alert(1)>b</b> */",
      "<script a=\">\" src=\"https://evil.example/x.js\"></script>",
      "<script a='>' src='//evil.example'></script>",
      "<script a=`>` src=//evil.example></script>",
      "<img src=\"javascript:alert('1');\">",
      "<img src=javascript:alert('1')>",
      "<img src=JaVaScRiPt:alert(1)>",
      "<img src=javascript:alert(&quot;1&quot;)>",
      "<img src=`javascript:alert(\"1\")`>",
      "<img \"\"\"><script>alert(1)</script>\"\\>",
      "<img src=# onmouseover=\"alert('1')\">",
      "<img src= onmouseover=\"alert('1')\">",
      "<img onmouseover=\"alert('1')\">",
      "<img src=/ onerror=\"alert(String.fromCharCode(88))\"></img>",
      "<img src=x onerror=\"&#0000106&#0000097&#0000118&#0000097&#0000115&#0000099\">",
      "<img src=&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)>",
      "<img src=&#0000106&#0000097&#0000118&#0000097&#0000115&#0000099&#0000114&#0000105&#0000112"
      "&#0000116&#0000058alert(1)>",
      "<img src=&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A&#x61lert(1)>",
      "<img src=\"jav\tascript:alert(1);\">",
      "<img src=\"jav&#x09;ascript:alert(1);\">",
      "<img src=\"jav&#x0A;ascript:alert(1);\">",
      "<img src=\"jav&#x0D;ascript:alert(1);\">",
      std::string("<img src=\"java\0script:alert(1)\">", 32),
      std::string("<scr\0ipt>alert(1)</scr\0ipt>", 27),
      "<img src=\" &#14;  javascript:alert(1);\">",
      "<img src=\"&#1;javascript:alert(1)\">",
      "<img dynsrc=\"javascript:alert(1)\">",
      "<img lowsrc=\"javascript:alert(1)\">",
      "<img src='vbscript:msgbox(\"1\")'>",
      "<img src=\"livescript:x\">",
      "<img srcset=\"javascript:alert(1) 1x\">",
      "<input type=\"image\" src=\"javascript:alert(1);\">",
      "<body background=\"javascript:alert(1)\">",
      "<body onload=alert(1)>a",
      "<BODY onload!#$%&()*~+-_.,:;?@[/|\\]^`=alert(1)>a",
      "<bgsound src=\"javascript:alert(1);\">",
      "<br size=\"&{alert('1')}\">",
      "<link rel=\"stylesheet\" href=\"javascript:alert(1);\">",
      "<style>@import'https://evil.example/x.css';</style>",
      "<style>li {list-style-image: url(\"javascript:alert(1)\");}</style><ul><li>a</ul>",
      "<xss style=\"behavior: url(x.htc);\">a</xss>",
      "<xss onclick=\"alert(1)\">a</xss>",
      "<meta http-equiv=\"refresh\" content=\"0;url=javascript:alert(1);\">",
      "<meta http-equiv=\"refresh\" content=\"0;url=data:text/html base64,PHNjcmlwdD4=\">",
      "<iframe src=\"javascript:alert(1);\"></iframe>",
      "<iframe src=# onmouseover=\"alert(1)\"></iframe>",
      "<iframe srcdoc=\"<img src=x onerror=alert(1)>\"></iframe>",
      "<frameset><frame src=\"javascript:alert(1);\"></frameset>",
      "<table background=\"javascript:alert(1)\"><tr><td>a</table>",
      "<table><td background=\"javascript:alert(1)\">a",
      "<div style=\"background-image: url(javascript:alert(1))\">a</div>",
      "<div style=\"width: expression(alert(1));\">a</div>",
      "<base href=\"javascript:alert(1);//\"><a href=\"x\">a</a>",
      "<object type=\"text/x-scriptlet\" data=\"https://evil.example/x.html\"></object>",
      "<object data=\"data:text/html;base64,PHNjcmlwdD4=\">a</object>",
      "<embed src=\"https://evil.example/x.swf\" allowscriptaccess=always>",
      "<a href=\"javascript:document.location='https://evil.example/'\">a</a>",
      "<a href=\"JAVASCRIPT:alert(1)\">a</a>",
      "<a href=\"&#x6a;avascript:alert(1)\">a</a>",
      "<a href=\"java\nscript:alert(1)\">a</a>",
      "<a href=\"java&Tab;script&colon;alert(1)\">a</a>",
      "<a href=\"javascript&#58;alert(1)\">a</a>",
      "<a href=\"data:text/html,<script>alert(1)</script>\">a</a>",
      "<a href=\"vbscript:x\">a</a>",
      "<a href=\"file:///etc/passwd\">a</a>",
      "<a href=\"blob:https://e.org/x\">a</a>",
      "<a href=\"\x01javascript:alert(1)\">a</a>",
      "<a href=\"\u00A0javascript:alert(1)\">a</a>",
      "<a href=\":javascript:alert(1)\">a</a>",
      "<a href='x\"onclick=\"alert(1)'>a</a>",
      "<a href='x onclick=alert(1)'>a</a>",
      "<a href='x) <script>alert(1)</script> (y'>a</a>",
      "<a href='x>\n\n<script>alert(1)</script>'>a</a>",
      "<a href=x title='\"><script>alert(1)</script>'>a</a>",
      "<a onmouseover=alert(1)>a</a>",
      "<a href=\"https://e.org\\\" onclick=alert(1)\">a</a>",
      "<img src=x alt='](javascript:alert(1))'>",
      "<img src=x alt='<script>alert(1)</script>'>",
      "<img src=x alt='&#10;&#10;<script>alert(1)</script>'>",
      "<img src='x \"onerror=alert(1)'>",
      "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
      "<p>&amp;lt;script&amp;gt;alert(1)</p>",
      "<p>[a](javascript:alert(1))</p>",
      "<p>![a](javascript:alert(1))</p>",
      "<p>&lt;javascript:alert(1)></p>",
      "<p>[a]: javascript:alert(1)</p><p>[a]</p>",
      "<p>[a]<b>(javascript:alert(1))</b></p>",
      "<p><b>[a]</b>(javascript:alert(1))</p>",
      "<p>&lt;<b>script</b>>alert(1)</p>",
      "<p>&lt;img src=x onerror=alert(1)//</p>",
      "<pre>```\n&lt;script&gt;alert(1)&lt;/script&gt;</pre>",
      "<pre class='language-\"><script>alert(1)</script>'>a</pre>",
      "<pre class='language-x&#10;```&#10;<script>'>a</pre>",
      "<code>`&lt;script&gt;alert(1)&lt;/script&gt;`</code>",
      "<code>`` &lt;b&gt;</code> <code>`</code>",
      "<table><tr><th>&lt;script&gt;<th>b<tr><td>```<td>&lt;/script&gt;</table>",
      "<svg onload=alert(1)>",
      "<svg><script>alert(1)</script></svg>",
      "<svg><style><img src=x onerror=alert(1)></style></svg>",
      "<svg><a xlink:href=\"javascript:alert(1)\"><text>a</text></a></svg>",
      "<svg/onload=alert(1)/><img src=x onerror=alert(1)>",
      "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
      "<math href=\"javascript:alert(1)\">a</math>",
      "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
      "<textarea><img title=\"</textarea><img src=x onerror=alert(1)>\">",
      "<title><a title=\"</title><img src=x onerror=alert(1)>\">",
      "<xmp><img title=\"</xmp><img src=x onerror=alert(1)>\">",
      "<template><script>alert(1)</script></template>",
      "<form action=\"javascript:alert(1)\"><button>a</button></form>",
      "<button formaction=\"javascript:alert(1)\">a</button>",
      "<isindex action=\"javascript:alert(1)\">",
      "<details open ontoggle=alert(1)>a</details>",
      "<video><source onerror=\"alert(1)\"></video>",
      "<audio src=x onerror=alert(1)>",
      "<marquee onstart=alert(1)>a</marquee>",
      "<input onfocus=alert(1) autofocus>",
      "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
      "<!--><script>alert(1)</script>-->",
      "<!-- --!><script>alert(1)</script> -->",
      "<![CDATA[<script>alert(1)</script>]]>",
      "<?xml version=\"1.0\"?><script>alert(1)</script>",
      "<? <script>alert(1)</script> ?>",
      "</ <script>alert(1)</script>",
      "<a<script>alert(1)</script>",
      "<p/onclick=alert(1)>a",
      "<plaintext><script>alert(1)</script>",
      "<listing>&lt;img onerror=alert(1) src=x&gt;</listing>",
      "\\<script>alert(1)</script>",
      "<p>\\&lt;script&gt;alert(1)</p>",
      "<p>a\\</p><p>&lt;b&gt;</p>",
      "<ul><li>&lt;script&gt;</li><li>&lt;/script&gt;</li></ul>",
      "<blockquote>&lt;!-- a</blockquote><p>--&gt;</p>",
      "<h1>&lt;!DOCTYPE&gt;</h1>",
      "<a href='https://e.org/&quot;onmouseover=&quot;alert(1)'>a</a>",
      "<a href='&lt;https://e.org&gt;'>a</a>",
      "<a href='https://e.org'>&lt;a href=javascript:alert(1)&gt;</a>",
      "<p>&#60;&#115;cript>alert(1)&#60;/script></p>",
      "<p>&#x0;&lt;scr&#x0;ipt&gt;</p>",
      "<p>\xEF\xBC\x9Cscript\xEF\xBC\x9E</p>",
  };
  ASSERT_GE(cases.size(), 60U);
  for (const std::string& html : cases) {
    ExpectHarmlessAndStable(html);
    ExpectHarmlessAndStable(absl::StrCat("<p>Before ", html, " after.</p><ul><li>", html, "</ul>"));
  }
}

// Bytes of a page that are changed, left out or repeated.
TEST(HtmlToMarkdown, IsHarmlessForAnyMutation) {
  const std::string page =
      "<article><h1>A</h1><p onclick='x'>B <b>c <a href=\"https://e.org/?a=1&amp;b=2\">d</a></b>"
      "<script>if (a<b) { c }</script></p><ul><li>e<ol start='3'><li><p>f</p></ol></ul>"
      "<pre class='language-c'><code>g\n&lt;h&gt;</code></pre><table><tr><th>i<th>j<tr><td>k<td>"
      "<img src='l.png' alt='m'></table><blockquote>n<br>o<!-- p --></blockquote>"
      "<svg><style>q</style></svg><a href='javascript:r'>s</a>&lt;t&gt;</article>";
  std::mt19937 random(20250614);
  std::uniform_int_distribution<size_t> at(0, page.size() - 1);
  std::uniform_int_distribution<int> way(0, 3);
  constexpr absl::string_view kBytes = "<>/=\"'&;`*_[]()\\!#-:\n \tapbt\x01";
  std::uniform_int_distribution<size_t> byte(0, kBytes.size() - 1);
  for (int i = 0; i < 200; ++i) {
    std::string mutated = page;
    for (int n = 0; n < 6; ++n) {
      const size_t place = at(random) % mutated.size();
      switch (way(random)) {
        case 0:
          mutated[place] = kBytes[byte(random)];
          break;
        case 1:
          mutated.insert(place, 1, kBytes[byte(random)]);
          break;
        case 2:
          mutated.erase(place, 1 + at(random) % 9);
          break;
        default:
          mutated.insert(place, mutated.substr(at(random) % mutated.size(), 20));
      }
    }
    ExpectHarmlessAndStable(mutated);
    if (::testing::Test::HasFailure()) break;
  }
}

// CR is a line end of CommonMark, too.
TEST(HtmlToMarkdown, KeepsMarkupInCodeWhateverEndsItsLines) {
  for (const std::string end :
       {"&#13;", "&#x0D;", "&#13;&#10;", "\r", "&#12;", "&#11;", "&#x2028;"}) {
    const std::string code = absl::StrCat("<pre>a", end, end, "<script>b</script>", end,
                                          "&lt;img src=x onerror=c&gt;", end, "```", end, "</pre>");
    for (const std::string& html :
         {code, absl::StrCat("<blockquote>", code, "</blockquote>"),
          absl::StrCat("<ul><li>", code, "</ul>"),
          absl::StrCat("<blockquote><ol><li>", code, "</ol></blockquote>")}) {
      ExpectHarmlessAndStable(html);
      EXPECT_THAT(MarkdownOf(html), AllOf(Not(HasSubstr("\r")), Not(HasSubstr("\f"))));
    }
  }
  ExpectHarmlessAndStable(
      "<blockquote>a&#13;&lt;b&gt;<img alt='&#13;&#13;&lt;c&gt;' src=/d></blockquote>");
  ExpectHarmlessAndStable("<table><tr><th>a<th>b<tr><td>&#13;&lt;c&gt;<td>&#13;# d</table>");
}

// A long heading before each cell would make gigabytes of this table.
TEST(HtmlToMarkdown, RepeatsOnlyShortHeadingsOfColumns) {
  const std::string words(200, 'w');
  EXPECT_EQ(MarkdownOf(absl::StrCat("<table><tr><th>a<th>b<tr><td>c<td>", words, "</table>")),
            absl::StrCat("- **a:** c\\\n  **b:** ", words));
  EXPECT_EQ(MarkdownOf(absl::StrCat("<table><tr><th>a<th>", words, "<tr><td>c<td>d</table>")),
            absl::StrCat("- a\\\n  ", words, "\n- c\\\n  d"));
}

// What an element has once, a parser repeats for each paragraph in it.
TEST(HtmlToMarkdown, RepeatsNoLongAddressWithoutEnd) {
  std::string html = absl::StrCat("<a href='/", std::string(1'900, 'x'), "'>");
  while (html.size() < 300'000) html.append("<p>a");
  EXPECT_LT(MarkdownOf(html).size(), 20'000'000U);
}

// Each of these took minutes, gigabytes or the whole stack before it was bounded.
TEST(HtmlToMarkdown, IsFastForAnyPage) {
  constexpr int kCount = 10'000;
  const auto repeat = [](absl::string_view text, int count) {
    std::string result;
    for (int i = 0; i < count; ++i) absl::StrAppend(&result, text);
    return result;
  };
  std::string formatting;
  std::string attributes = "<p ";
  for (int i = 0; i < kCount; ++i) {
    absl::StrAppend(&formatting, "<b id=", i, ">");
    absl::StrAppend(&attributes, " a", i, "=1");
  }
  for (const std::string& html :
       {repeat("<div>", kCount),
        repeat("<blockquote>", kCount),
        repeat("<ul><li>", kCount),
        repeat("<table><tr><td>", kCount),
        repeat("<b>", kCount),
        repeat("<span>", kCount),
        repeat("<i><b>", kCount) + repeat("</i>", kCount),
        repeat("<a href=x><div>", kCount),
        repeat("<p><span></p>", kCount),
        repeat("<svg>", kCount),
        repeat("<!--", kCount),
        repeat("<script>", kCount),
        repeat("<a b='", kCount),
        repeat("</div>", kCount),
        repeat("[", kCount),
        repeat("*a ", kCount),
        repeat("![](", kCount),
        repeat("`a", kCount),
        repeat("<pre>", kCount),
        repeat("<h1><ul>", kCount),
        repeat("<form><div></form>", kCount),
        repeat("<em>a</em><b>b</b>", kCount),
        formatting + repeat("<p>a", kCount),
        attributes + ">a",
        "<a href='" + std::string(1 << 20, 'x') + "'>a</a>",
        "<img src='data:image/png;base64," + std::string(1 << 20, 'A') + "'>",
        "<p class='" + repeat("a ", kCount) + "'>a"}) {
    EXPECT_THAT(MarkdownOf(absl::StrCat(html, "<p>end")), Not(HasSubstr("<p>")))
        << html.substr(0, 40);
  }
}

}  // namespace
}  // namespace content::transfer
