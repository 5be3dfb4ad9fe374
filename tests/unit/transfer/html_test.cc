#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/util/time_util.h"
#include "transfer/html/page.h"
#include "transfer/parse.h"
#include "transfer/refusal.h"

namespace content::transfer {
namespace {

using ::google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::Article ReadHtml(absl::string_view page, const Overrides& overrides = {}) {
  absl::StatusOr<ParsedArticle> parsed = Parse(page, Format::kHtml, overrides);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() ? parsed->article : v1::Article();
}

std::string ProblemOfHtml(absl::string_view page) {
  return std::string(Parse(page, Format::kHtml, {}).status().message());
}

// A post as Medium's archive has it.
constexpr absl::string_view kMediumPost = R"(<!DOCTYPE html><html><head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><title>Low Water</title></head>
<body><article class="h-entry"><header><h1 class="p-name">Low Water</h1></header>
<section data-field="subtitle" class="p-summary">What the gauge says</section>
<section data-field="body" class="e-content">
<section name="a" class="section section--body section--first">
<div class="section-divider"><hr class="section-divider"></div>
<div class="section-content"><div class="section-inner sectionLayout--insetColumn">
<h3 name="b" class="graf graf--h3 graf--title">Low Water</h3>
<h4 name="c" class="graf graf--h4 graf--subtitle">What the gauge says</h4>
<p name="d" class="graf graf--p">The quay is <strong class="markup--strong">dry</strong>.</p>
<figure name="e" class="graf graf--figure"><div class="aspectRatioPlaceholder is-locked">
<img class="graf-image" src="https://cdn.example.org/quay.jpeg" alt="The quay"></div>
<figcaption class="imageCaption">At <em>six</em></figcaption></figure>
<pre name="f" class="graf graf--pre"><code class="markup--code">read gauge<br>write book</code></pre>
<blockquote name="g" class="graf graf--blockquote">Nobody asked.</blockquote>
</div></div></section>
<section name="h" class="section section--body section--last">
<div class="section-divider"><hr class="section-divider"></div>
<p name="i" class="graf graf--p">Then it rose.</p></section></section>
<footer><p class="p-tags">Tagged in <a class="p-tag" href="#">Tides</a>, <a class="p-tag" href="#">Sea</a></p>
<p>By <a href="https://medium.example/@ada" class="p-author h-card">Ada Byron</a> on
<a href="https://medium.example/p/1"><time class="dt-published" datetime="2018-08-11T11:23:34.123Z">
August 11, 2018</time></a>.</p>
<p><a href="https://medium.example/@ada/low-water-1" class="p-canonical">Canonical link</a></p>
<p>Exported from Medium on September 21, 2018.</p></footer></article></body></html>)";

TEST(HtmlImport, ReadsAPostOfMediumsArchive) {
  const v1::Article article = ReadHtml(kMediumPost);
  EXPECT_EQ(article.title(), "Low Water");
  EXPECT_EQ(article.summary(), "What the gauge says");
  EXPECT_EQ(TimeUtil::ToString(article.publish_time()), "2018-08-11T11:23:34.123Z");
  EXPECT_EQ(article.source_uri(), "https://medium.example/@ada/low-water-1");
  EXPECT_THAT(article.tags(), ElementsAre("Tides", "Sea"));
  ASSERT_EQ(article.authors_size(), 1);
  EXPECT_EQ(article.authors(0).display_name(), "Ada Byron");
  EXPECT_EQ(article.authors(0).uri(), "https://medium.example/@ada");
  EXPECT_EQ(article.body(),
            "The quay is **dry**.\n\n![The quay](https://cdn.example.org/quay.jpeg)\n\nAt *six*\n\n"
            "```\nread gauge\nwrite book\n```\n\n> Nobody asked.\n\n***\n\nThen it rose.");
}

TEST(HtmlImport, RefusesDraftsAndProfiles) {
  EXPECT_EQ(ProblemOfHtml("<article class=h-entry><h1 class=p-name>A</h1>"
                          "<section class=e-content><p>b</p></section></article>"),
            "the file is a draft");
  EXPECT_EQ(ProblemOfHtml("<title>Ada</title><section class=h-card><p>ada@example.org</p>"),
            "the page is about a person; it has no article");
  EXPECT_EQ(
      ProblemOfHtml("<article class=h-entry><h1 class=p-name>Read later</h1>"
                    "<section data-field=lists><ul><li><a href='https://a.example'>a</a></ul>"
                    "</section><time class=dt-published datetime=2021-06-25></time></article>"),
      "the page is a list of articles");
}

TEST(HtmlImport, ReadsAFragmentOfSubstacksArchive) {
  const v1::Article article = ReadHtml(
      "<h2>Ebb</h2>\n<p class=\"button-wrapper\" data-attrs='{\"url\":\"https://a.example/\"}'>\n"
      "<a class=\"button primary\" href=\"https://a.example/subscribe?\"><span>Sign up</span></a>\n"
      "</p>\n<p>It went out.</p>\n<div><hr /></div>\n<p class=\"button-wrapper\"><a>Sign "
      "up</a></p>",
      {.title = "Tides", .id = ""});
  EXPECT_EQ(article.body(), "## Ebb\n\nIt went out.");
  EXPECT_THAT(ProblemOfHtml("<p>a</p>"), HasSubstr("the page does not say its title"));
}

// As Jekyll and Hugo have posts.
TEST(HtmlImport, ReadsFrontMatter) {
  const v1::Article article = ReadHtml(
      "---\ntitle: An HTML post\ndate: 2020-01-02 10:00:00 +0100\ntags: [a, b]\nauthor: Ada\n"
      "---\n<h1>Heading</h1>\n<p>Hello <b>there</b>.</p>");
  EXPECT_EQ(article.title(), "An HTML post");
  EXPECT_EQ(TimeUtil::ToString(article.publish_time()), "2020-01-02T09:00:00Z");
  EXPECT_THAT(article.tags(), ElementsAre("a", "b"));
  EXPECT_EQ(article.authors(0).display_name(), "Ada");
  EXPECT_EQ(article.body(), "# Heading\n\nHello **there**.");
  EXPECT_EQ(ReadHtml("+++\ndate = 2020-01-02\n+++\n<h1>Heading</h1><p>b</p>").title(), "Heading");
  EXPECT_EQ(ReadHtml("---\ntitle: Tides\n---\n<h1>Tides</h1><p>b</p>").body(), "b");
}

TEST(HtmlImport, LeavesOutDraftsOfSiteGenerators) {
  for (const char* page :
       {"---\ntitle: Secret\npublished: false\n---\n<h1>Heading</h1><p>Hello</p>",
        "+++\ntitle = \"Secret\"\ndraft = true\n+++\n<p>Hello</p>",
        "{\"title\": \"Secret\", \"draft\": true}\n<p>Hello</p>",
        "title: Secret\nstatus: draft\n\n<p>Hello</p>",
        "<html><head><title>Secret</title><meta name=status content=draft></head><p>Hello</p>"}) {
    const auto parsed = Parse(page, Format::kHtml, {});
    EXPECT_EQ(ReasonOfRefusal(parsed.status()), kReasonDraft) << page << parsed.status();
  }
  EXPECT_THAT(ProblemOfHtml("---\ntitle: [a\n---\n<p>b</p>"), HasSubstr("is not YAML"));
  EXPECT_THAT(ProblemOfHtml("<!--\ndraft: true\n-->\n<h1>a</h1><p>b</p>"),
              HasSubstr("marks a draft"));
}

TEST(HtmlImport, RefusesTemplates) {
  for (const char* page :
       {"---\nlayout: default\n---\n<h1>{{ page.title }}</h1>\n<p>{{ content }}</p>",
        "<html><head><title>{{ .Title }} | Site</title></head><main>{{ .Content }}</main></html>",
        "---\ntitle: Home\n---\n{% for post in site.posts %}<li>{{ post.title }}</li>{% endfor "
        "%}"}) {
    EXPECT_THAT(ProblemOfHtml(page), HasSubstr("a template of other pages")) << page;
  }
  EXPECT_EQ(ReadHtml("---\ntitle: T\n---\n<p>{% include a.html %} Text.</p>").body(),
            "{% include a.html %} Text.");
}

// A page as a browser saves it.
std::string SavedPage(absl::string_view head, absl::string_view article) {
  return absl::StrCat(
      "<!DOCTYPE html><html lang=\"en-GB\"><head><title>Tides | The Harbour</title>", head,
      "<style>p {}</style></head><body><header><h1>The Harbour</h1><nav><a href='/'>Home</a></nav>"
      "</header><div id=content>",
      article,
      "</div><aside><p>Read this, too: a text about something that is longer than it should be, "
      "and which is no part of the article at all, however long it may be in the end.</p></aside>"
      "<footer><p>© The Harbour</p></footer><script>track()</script></body></html>");
}

constexpr absl::string_view kText = "<p>The water rose.</p><p>Then it fell.</p>";

TEST(HtmlImport, FindsTheArticleInAPage) {
  for (const std::string& article :
       {absl::StrCat("<article><header><h1>Tides</h1><p>By Ada</p></header>", kText,
                     "<div class=share>Share</div><footer>Tags</footer></article>"),
        absl::StrCat("<main>", kText, "</main>"), absl::StrCat("<div role=main>", kText, "</div>"),
        absl::StrCat("<article><div class='entry-content'>", kText, "</div><p>More</p></article>"),
        absl::StrCat("<div class='post-body entry-content'>", kText, "</div>"),
        absl::StrCat("<div itemprop=articleBody>", kText, "</div>"),
        absl::StrCat("<div class=x>", kText, "</div>"),
        absl::StrCat("<article>Short</article><article>", kText, "</article>")}) {
    EXPECT_EQ(ReadHtml(SavedPage("", article)).body(), "The water rose.\n\nThen it fell.")
        << article;
  }
}

std::vector<std::string> NotesOn(absl::string_view page) {
  const absl::StatusOr<ParsedArticle> parsed = Parse(page, Format::kHtml, {.title = "T", .id = ""});
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() ? parsed->notes : std::vector<std::string>();
}

// Their ids are made of their texts.
TEST(HtmlImport, KeepsHeadingsWhateverTheirIds) {
  EXPECT_EQ(ReadHtml(SavedPage("",
                               "<article><p>Low.</p><h2 id=comments>Comments</h2><p>High.</p>"
                               "<h3 class=related>Related</h3></article>"))
                .body(),
            "Low.\n\n## Comments\n\nHigh.\n\n### Related");
}

TEST(HtmlImport, SaysWhatItLeavesOutBesideTheText) {
  EXPECT_THAT(NotesOn(SavedPage("",
                                "<article><p>Low.</p><aside>A note of some length, which says "
                                "what the gauge is, who reads it and when, and what he does "
                                "with the book.</aside><p>High.</p></article>")),
              ElementsAre(HasSubstr("\"A note of some length")));
  EXPECT_THAT(NotesOn(SavedPage("", "<article><p class=byline>By Ada</p><p>High.</p></article>")),
              IsEmpty());
  EXPECT_THAT(NotesOn(SavedPage("", "<article>a<iframe src=/b></iframe></article>")),
              ElementsAre("left out 1 <iframe>"));
}

TEST(HtmlImport, PublishesNoEmailAddressOfAnAuthor) {
  const v1::Article article =
      ReadHtml(SavedPage("<meta name=author content='Ada Byron (ada@mail.example)'>", kText));
  ASSERT_EQ(article.authors_size(), 1);
  EXPECT_EQ(article.authors(0).display_name(), "Ada Byron");
  EXPECT_THAT(ReadHtml(SavedPage("<meta name=author content='ada@mail.example'>", kText)).authors(),
              IsEmpty());
}

TEST(HtmlImport, ReadsJsonLd) {
  const v1::Article article = ReadHtml(SavedPage(
      R"(<script type="application/ld+json">{"@graph": [{"@type": "WebPage", "headline": "No"},
      {"@type": ["BlogPosting"], "headline": "Tides", "datePublished": "2025-06-12T08:30:00+02:00",
      "author": [{"@type": "Person", "name": "Ada Byron", "url": "https://a.example/"}, "Bo Li"],
      "inLanguage": "en-US", "description": "Of water", "keywords": "sea, moon",
      "mainEntityOfPage": {"@id": "https://a.example/tides"}}]}</script>)",
      kText));
  EXPECT_EQ(article.title(), "Tides");
  EXPECT_EQ(TimeUtil::ToString(article.publish_time()), "2025-06-12T06:30:00Z");
  ASSERT_EQ(article.authors_size(), 2);
  EXPECT_EQ(article.authors(0).display_name(), "Ada Byron");
  EXPECT_EQ(article.authors(0).uri(), "https://a.example/");
  EXPECT_EQ(article.authors(1).display_name(), "Bo Li");
  EXPECT_EQ(article.language_code(), "en-US");
  EXPECT_EQ(article.summary(), "Of water");
  EXPECT_THAT(article.tags(), ElementsAre("sea", "moon"));
  EXPECT_EQ(article.source_uri(), "https://a.example/tides");
}

TEST(HtmlImport, BearsAnyJsonLd) {
  for (const std::string json :
       {"", "{", "[]", "null", "[[[{}]]]", "{\"@type\": 1}", "{\"@type\": []}",
        "{\"@type\": \"Article\", \"headline\": 1, \"author\": [[[1]]], \"keywords\": [1]}",
        "{\"@graph\": {}}"}) {
    EXPECT_EQ(
        ReadHtml(SavedPage(absl::StrCat("<script type='application/ld+json'>", json, "</script>"),
                           kText),
                 {.title = "Tides", .id = ""})
            .body(),
        "The water rose.\n\nThen it fell.")
        << json;
  }
}

TEST(HtmlImport, ReadsWhatIsMeantForSocialNetworks) {
  const v1::Article article = ReadHtml(SavedPage(
      "<meta property='og:title' content='Tides &amp; Moons'><meta property=og:locale "
      "content=en_US>"
      "<meta property='article:published_time' content='2025-06-12T08:30:00Z'>"
      "<meta property='article:author' content='https://a.example/ada'>"
      "<meta name=author content='Ada Byron'><meta name=description content=' Of  water '>"
      "<meta property='article:tag' content=sea><meta property='article:tag' content=sea>"
      "<link rel=canonical href='https://a.example/tides'>",
      kText));
  EXPECT_EQ(article.title(), "Tides & Moons");
  EXPECT_EQ(article.language_code(), "en-GB");
  EXPECT_EQ(TimeUtil::ToString(article.publish_time()), "2025-06-12T08:30:00Z");
  ASSERT_EQ(article.authors_size(), 1);
  EXPECT_EQ(article.authors(0).display_name(), "Ada Byron");
  EXPECT_EQ(article.summary(), "Of water");
  EXPECT_THAT(article.tags(), ElementsAre("sea"));
  EXPECT_EQ(article.source_uri(), "https://a.example/tides");
}

TEST(HtmlImport, ReadsAttributesOfElements) {
  const v1::Article article = ReadHtml(absl::StrCat(
      "<article><h1 itemprop=headline>Tides</h1><a rel=author href='https://a.example/'>Ada</a>"
      "<time itemprop=datePublished datetime='2025-06-12'>yesterday</time>"
      "<div itemprop=articleBody>",
      kText, "</div></article>"));
  EXPECT_EQ(article.title(), "Tides");
  ASSERT_EQ(article.authors_size(), 1);
  EXPECT_EQ(article.authors(0).uri(), "https://a.example/");
  EXPECT_EQ(TimeUtil::ToString(article.publish_time()), "2025-06-12T00:00:00Z");
}

std::string DateOf(absl::string_view page) {
  return TimeUtil::ToString(ReadHtml(page, {.title = "T", .id = ""}).publish_time()).substr(0, 10);
}

TEST(HtmlImport, TakesNoTimeThatTheTextTellsOf) {
  constexpr absl::string_view kTold =
      "<p>On <time datetime='1969-07-20'>a day in July</time> they went.</p>"
      "<section id=comments><time datetime='2001-01-01'>then</time></section>"
      "<nav><time datetime='2002-02-02'>then</time></nav>";
  constexpr absl::string_view kTime = "<time datetime='2025-06-12'>June 12</time>";
  const std::string now = DateOf("<p>x</p>");
  EXPECT_EQ(DateOf(absl::StrCat("<article><h1>Moon</h1>", kTold, "</article>")), now);
  EXPECT_EQ(DateOf(absl::StrCat("<article><div class='entry-content'><ul><li><div>", kTime,
                                "</div> x</li></ul></div></article>")),
            now);
  EXPECT_EQ(DateOf(absl::StrCat("<main>", kText, "</main><div class='latest'>", kTime, "</div>")),
            now);
  EXPECT_EQ(DateOf(absl::StrCat("<article><p>We met on <span class='published'>12 June 1944",
                                "</span>.</p>", kText, "</article>")),
            now);
  EXPECT_EQ(DateOf(absl::StrCat("<main><article><h1>Moon</h1>", kText,
                                "</article>"
                                "<article><h2>Other</h2>",
                                kTime, "</article></main>")),
            now);
  for (const std::string& page :
       {absl::StrCat("<article><header><h1>Moon</h1><p>On ", kTime, "</p></header>", kTold,
                     "</article>"),
        absl::StrCat("<article><h1>Moon</h1><p>", kTime, "</p>", kTold, "</article>"),
        absl::StrCat("<article><h1>Moon</h1><div>On ", kTime, "</div>", kTold, "</article>"),
        absl::StrCat("<main><h1>Moon</h1><p class='post-meta'>On ", kTime, " &middot; 5 min</p>",
                     kTold, "</main>"),
        absl::StrCat("<main><h1>Moon</h1><ul class='entry-meta'><li>On ", kTime, "</li></ul>",
                     kTold, "</main>"),
        absl::StrCat("<main><p class='byline'>On <span class='published'>June 12, 2025</span></p>",
                     kTold, "</main>"),
        absl::StrCat("<article><p>On ", kTime, "</p><div class='entry-content'>", kTold,
                     "</div></article>"),
        absl::StrCat("<article>", kTold,
                     "<footer><time class='entry-date published' datetime='2025-06-12'>x</time>"
                     "</footer></article>")}) {
    EXPECT_EQ(DateOf(page), "2025-06-12") << page;
  }
}

TEST(HtmlImport, ReadsTheClassesOfBlogsInParagraphs) {
  for (const std::string mark :
       {"<span class='entry-date'>June 12, 2025</span>",
        "<abbr class='published' title='2025-06-12T10:00:00Z'>10:00 AM</abbr>"}) {
    EXPECT_EQ(DateOf(absl::StrCat("<article><p>Posted on ", mark, "</p>", kText, "</article>")),
              "2025-06-12")
        << mark;
  }
  const auto article =
      ReadHtml(absl::StrCat("<article>", kText, "<p>Tagged <a rel=tag>Moon</a></p></article>",
                            "<div class='tagcloud'><a rel=tag>Sun</a></div>",
                            "<p class='wp-block-tag-cloud'><a rel=tag>Stars</a></p>"),
               {.title = "T", .id = ""});
  EXPECT_THAT(article.tags(), ElementsAre("Moon"));
}

TEST(HtmlImport, ReadsTheClassesOfBlogs) {
  for (const std::string mark : {"itemprop='datePublished' class='published'", "class=published"}) {
    EXPECT_EQ(DateOf(absl::StrCat("<div class='post-body'>", kText, "</div><footer><abbr ", mark,
                                  " title='2012-03-05T10:00:00-08:00'>10:00 AM</abbr></footer>")),
              "2012-03-05");
  }
  const v1::Article article = ReadHtml(SavedPage(
      "", absl::StrCat("<article><div class='entry-meta'><span class='author vcard'>"
                       "<a class='url fn n' href='https://a.example/ada'>Ada Byron</a></span></div>"
                       "<div class='entry-content'>",
                       kText,
                       "</div><footer><a rel='category tag'>Uncategorized</a>"
                       "<a rel='category tag'>Sea</a><a rel=tag>Moon</a></footer></article>"
                       "<ol class='comment-list'><li class='comment'><div class='author vcard'>"
                       "<b class=fn>Bo</b></div><a rel=tag>Spam</a></li></ol>")));
  ASSERT_EQ(article.authors_size(), 1);
  EXPECT_EQ(article.authors(0).display_name(), "Ada Byron");
  EXPECT_EQ(article.authors(0).uri(), "https://a.example/ada");
  EXPECT_THAT(article.tags(), ElementsAre("Sea", "Moon"));
}

TEST(HtmlImport, ReadsJsonLdOfPlugins) {
  const v1::Article article = ReadHtml(SavedPage(
      R"(<script type="application/ld+json">{"@graph": [{"@type": "Article",
      "headline": "It&#8217;s <gone>", "author": {"@id": "#p"}, "url": "https://a.example/?a&copy=1",
      "keywords": ["Salt &amp; sea"]}, {"@type": "Person", "@id": "#p", "name": "Ada O&#039;Neil",
      "url": "https://a.example/ada"}]}</script>)",
      absl::StrCat("<article><h1>It’s &lt;gone></h1>", kText, "</article>")));
  EXPECT_EQ(article.title(), "It’s <gone>");
  EXPECT_EQ(article.body(), "The water rose.\n\nThen it fell.");
  ASSERT_EQ(article.authors_size(), 1);
  EXPECT_EQ(article.authors(0).display_name(), "Ada O'Neil");
  EXPECT_EQ(article.authors(0).uri(), "https://a.example/ada");
  EXPECT_THAT(article.tags(), ElementsAre("Salt & sea"));
  EXPECT_EQ(article.source_uri(), "https://a.example/?a&copy=1");
}

TEST(HtmlImport, ReadsManyTimesInLinearTime) {
  std::string times;
  for (int i = 0; i < 100'000; ++i) times += "<time>x</time>";
  EXPECT_NE(ReadHtml(absl::StrCat("<article><p>", times), {.title = "T", .id = ""}).body(), "");
}

TEST(HtmlImport, KeepsNoAddressThatIsNoWebAddress) {
  const v1::Article article = ReadHtml(SavedPage(
      "<link rel=canonical href='javascript:alert(1)'><meta property=og:url content='/tides'>",
      absl::StrCat("<a rel=author href='javascript:alert(1)'>Ada</a>", kText)));
  EXPECT_EQ(article.source_uri(), "");
  EXPECT_EQ(article.authors(0).uri(), "");
}

}  // namespace
}  // namespace content::transfer
