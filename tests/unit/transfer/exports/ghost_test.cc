#include "transfer/exports/ghost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "transfer/exports/ghost_body.h"
#include "transfer/exports/json_items.h"
#include "transfer/html/to_markdown.h"
#include "unit/transfer/exports/read_export.h"

namespace content::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string GhostExport(absl::string_view tables) {
  return absl::StrCat(
      R"({"db": [{"meta": {"exported_on": 1767181794691, "version": "6.1.0"}, "data": {)", tables,
      "}}]}");
}

std::string GhostPost(absl::string_view fields) {
  return GhostExport(
      absl::StrCat(R"("posts": [{"id": "p1", "title": "Low water", "slug": "low-water",
      "status": "published", "visibility": "public", )",
                   fields, "}]"));
}

// The text of a post that has one in the format.
std::string BodyOfGhostPost(absl::string_view format, std::string document) {
  const nlohmann::json post = {{std::string(format), std::move(document)}};
  std::vector<std::string> notes;
  return HtmlToMarkdown(GhostBodyHtml(post), notes);
}

TEST(Ghost, ReadsAPostWithWhatOtherTablesSay) {
  const ReadItems items = ReadExport(ReadGhost, GhostExport(R"(
      "posts": [{"id": "p1", "title": "Low water", "slug": "low-water", "type": "post",
        "html": "<p>The <b>boat</b> lies <a href=\"__GHOST_URL__/dry/\">dry</a>.</p>",
        "feature_image": "__GHOST_URL__/content/images/boat.jpg", "status": "published",
        "locale": "en", "visibility": "public", "created_at": "2025-01-01T00:00:00.000Z",
        "published_at": "2025-01-02T03:04:05.000Z", "updated_at": "2025-02-03T04:05:06.000Z",
        "custom_excerpt": "A boat.",
        "canonical_url": "https://harbour.example/low"}],
      "posts_authors": [{"post_id": "p1", "author_id": "u2", "sort_order": 1},
                        {"post_id": "p1", "author_id": "u1", "sort_order": 0}],
      "posts_meta": [{"post_id": "p1", "feature_image_alt": "A boat",
                      "feature_image_caption": "<span>Dry</span>"}],
      "posts_tags": [{"post_id": "p1", "tag_id": "t2", "sort_order": 1},
                     {"post_id": "p1", "tag_id": "t1", "sort_order": 0},
                     {"post_id": "p1", "tag_id": "t3", "sort_order": 2}],
      "settings": [{"key": "secret", "value": "x"}],
      "tags": [{"id": "t1", "name": "Tides"}, {"id": "t2", "name": "Boats"},
               {"id": "t3", "name": "#internal", "visibility": "internal"}],
      "users": [{"id": "u1", "name": "Ada Byron", "email": "ada@example.org",
                 "website": "https://ada.example"},
                {"id": "u2", "name": "Jo Doe", "email": "jo@example.org"}])"));
  ASSERT_TRUE(items.status.ok()) << items.status;
  ASSERT_THAT(items.articles, SizeIs(1));
  const ExportedArticle& exported = items.articles[0];
  EXPECT_EQ(exported.label, "post low-water");
  EXPECT_EQ(exported.file.draft, "");
  EXPECT_THAT(exported.addresses, ElementsAre("/low-water/", "https://harbour.example/low"));
  const v1::Article& article = exported.file.article;
  EXPECT_EQ(article.title(), "Low water");
  EXPECT_EQ(article.name(), "articles/low-water");
  EXPECT_EQ(article.language_code(), "en");
  EXPECT_EQ(article.summary(), "A boat.");
  EXPECT_EQ(article.source_uri(), "https://harbour.example/low");
  EXPECT_EQ(article.publish_time().seconds(), 1735787045);
  EXPECT_EQ(exported.file.update_time, absl::FromUnixSeconds(1738555506));
  ASSERT_THAT(article.authors(), SizeIs(2));
  EXPECT_EQ(article.authors(0).display_name(), "Ada Byron");
  EXPECT_EQ(article.authors(0).uri(), "https://ada.example");
  EXPECT_EQ(article.authors(1).display_name(), "Jo Doe");
  EXPECT_THAT(article.tags(), ElementsAre("Tides", "Boats"));
  EXPECT_EQ(article.body(),
            "![A boat](/content/images/boat.jpg)\n\nDry\n\nThe **boat** lies [dry](/dry/).");
}

TEST(Ghost, ReadsOlderExports) {
  const std::string old = R"({"meta": {"exported_on": 1, "version": "004"}, "data": {
      "users": [{"id": 1, "name": "Ada Byron"}], "tags": [{"id": 7, "name": "Tides"}],
      "posts_tags": [{"id": 1, "post_id": 3, "tag_id": 7}],
      "posts": [{"id": 3, "title": "Low water", "slug": "low-water", "markdown": "It is *low*.",
        "html": null, "image": "/content/boat.jpg", "page": 1, "status": "published",
        "author_id": 1, "meta_description": "A boat.", "published_at": 1388318311015}]}})";
  const ReadItems items = ReadExport(ReadGhost, old);
  ASSERT_TRUE(items.status.ok()) << items.status;
  ASSERT_THAT(items.articles, SizeIs(1));
  EXPECT_EQ(items.articles[0].label, "page low-water");
  const v1::Article& article = items.articles[0].file.article;
  EXPECT_EQ(article.publish_time().seconds(), 1388318311);
  EXPECT_EQ(article.summary(), "A boat.");
  EXPECT_EQ(article.authors(0).display_name(), "Ada Byron");
  EXPECT_THAT(article.tags(), ElementsAre("Tides"));
  EXPECT_EQ(article.body(), "![](/content/boat.jpg)\n\nIt is *low*.");
}

TEST(Ghost, PublishesOnlyWhatEverybodySaw) {
  const std::map<std::string, std::string> cases = {
      {R"("status": "published")", ""},
      {R"("status": "published", "visibility": null)", ""},
      {R"("status": "draft")", "the post is a draft"},
      {R"("status": "scheduled")", "the post is scheduled"},
      {R"("status": "sent")", "the post was only sent by e-mail"},
      {R"("status": "published", "visibility": "members")", "the post is for members only"},
      {R"("status": "published", "visibility": "paid")", "the post is for members only"},
      {R"("status": "published", "visibility": "tiers")", "the post is for members only"},
      {R"("status": "unheard of")", "the post does not say that it was published"},
      {R"("status": 1)", "the post does not say that it was published"}};
  for (const auto& [fields, draft] : cases) {
    // The last value of a key counts.
    const ReadItems items = ReadExport(ReadGhost, GhostPost(fields));
    ASSERT_THAT(items.articles, SizeIs(1)) << fields;
    EXPECT_EQ(items.articles[0].file.draft, draft) << fields;
  }
}

TEST(Ghost, HidesAPictureThatTheSiteHides) {
  const ReadItems items = ReadExport(
      ReadGhost, GhostPost(R"("feature_image": "/a.jpg", "show_title_and_feature_image": 0,
                              "html": "<p>Text</p>")"));
  ASSERT_THAT(items.articles, SizeIs(1));
  EXPECT_EQ(items.articles[0].file.article.body(), "Text");
}

TEST(Ghost, NotesWhatReadersMiss) {
  const ReadItems items = ReadExport(
      ReadGhost, GhostPost(R"("html": "<p>Text <math>x</math></p><iframe src='/v'></iframe>")"));
  ASSERT_THAT(items.articles, SizeIs(1));
  EXPECT_THAT(items.articles[0].file.notes,
              ElementsAre("it has no date that can be read", "left out 1 <iframe>",
                          "kept only the text of 1 formula"));
}

TEST(Ghost, LeavesOutWhatOnlyMembersSee) {
  constexpr absl::string_view kHtml =
      "<p>One</p><!--kg-gated-block:begin nonMember:false memberSegment:\"status:free\" -->"
      "<p>Two</p><!--kg-gated-block:end--><p>Three</p>"
      "<!--kg-gated-block:begin nonMember:true memberSegment:\"\" --><p>Four</p>"
      "<!--kg-gated-block:end--><!--kg-gated-block:begin nonMember:false --><p>Five";
  EXPECT_EQ(BodyOfGhostPost("html", std::string(kHtml)), "One\n\nThree\n\nFour");
  EXPECT_EQ(BodyOfGhostPost("lexical", R"({"root": {"children": [
      {"type": "html", "html": "<p>One</p>", "visibility": {"web": {"nonMember": false}}},
      {"type": "html", "html": "<p>Two</p>", "visibility": {"showOnWeb": false}},
      {"type": "email", "html": "<p>Three</p>"}, {"type": "paywall"},
      {"type": "html", "html": "<p>Four</p>", "visibility": {"web": {"nonMember": true}}}]}})"),
            "Four");
}

TEST(Ghost, ReadsLexical) {
  EXPECT_EQ(BodyOfGhostPost("lexical", R"({"root": {"type": "root", "children": [
      {"type": "extended-heading", "tag": "h2", "children": [{"type": "text", "text": "Head"}]},
      {"type": "paragraph", "children": [
        {"type": "extended-text", "text": "a <b> ", "format": 0},
        {"type": "extended-text", "text": "strong", "format": 1},
        {"type": "linebreak"},
        {"type": "link", "url": "https://a.example/", "children": [
          {"type": "text", "text": "link", "format": 2}]}]},
      {"type": "quote", "children": [{"type": "text", "text": "Quote"}]},
      {"type": "list", "listType": "bullet", "children": [
        {"type": "listitem", "children": [{"type": "text", "text": "One"}]},
        {"type": "listitem", "children": [{"type": "list", "listType": "bullet", "children": [
          {"type": "listitem", "children": [{"type": "text", "text": "Inner"}]}]}]},
        {"type": "listitem", "children": [{"type": "text", "text": "Two"}]}]}]}})"),
            "## Head\n\na \\<b> **strong**\\\n[*link*](https://a.example/)\n\n> Quote\n\n"
            "- One\n  - Inner\n- Two");
}

TEST(Ghost, ReadsCards) {
  const std::map<std::string, std::string> cases = {
      {R"({"type": "horizontalrule"}, {"type": "html", "html": "<i>x</i>"})", "*x*"},
      {R"({"type": "codeblock", "code": "a < b\n", "language": "c"})", "```c\na < b\n```"},
      {R"({"type": "image", "src": "/a.jpg", "alt": "A", "caption": "<b>C</b>"})",
       "![A](/a.jpg)\n\n**C**"},
      {R"({"type": "gallery", "images": [{"src": "/a.jpg"}, {"src": "/b.jpg"}]})",
       "![](/a.jpg)![](/b.jpg)"},
      {R"({"type": "markdown", "markdown": "*x*\n\n- y"})", "*x*\n\n- y"},
      {R"({"type": "bookmark", "url": "https://a.example/", "metadata": {"title": "A"}})",
       "[A](https://a.example/)"},
      {R"({"type": "embed", "url": "https://a.example/v"})",
       "[https://a.example/v](https://a.example/v)"},
      {R"({"type": "callout", "calloutEmoji": "!", "calloutText": "<b>Look</b>"})", "> ! **Look**"},
      {R"({"type": "toggle", "heading": "More", "content": "<p>Text</p>"})", "#### More\n\nText"},
      {R"({"type": "button", "buttonText": "Go", "buttonUrl": "/go"})", "[Go](/go)"},
      {R"({"type": "file", "src": "/a.pdf", "fileTitle": "A"})", "[A](/a.pdf)"},
      {R"({"type": "signup", "header": "x"}, {"type": "unheard of"}, 5, null, "x", [])", ""},
      {R"({"type": "html", "html": "<script>x</script><p onclick=x>y</p>"})", "y"}};
  for (const auto& [cards, body] : cases) {
    const std::string document = absl::StrCat(R"({"root": {"children": [)", cards, "]}}");
    EXPECT_EQ(BodyOfGhostPost("lexical", document), body) << cards;
  }
}

TEST(Ghost, ReadsMobiledoc) {
  EXPECT_EQ(BodyOfGhostPost("mobiledoc", R"({"version": "0.3.1",
      "atoms": [["soft-return", "", {}]], "cards": [["hr", {}], ["code", {"code": "x"}]],
      "markups": [["strong"], ["a", ["href", "https://a.example/"]], ["script"]],
      "sections": [
        [1, "h2", [[0, [], 0, "Head"]]],
        [1, "p", [[0, [0], 0, "bold "], [0, [1], 2, "link"], [0, [], 0, " <x>"], [1, [], 0, 0],
                  [0, [2], 1, "end"]]],
        [10, 0],
        [3, "ol", [[[0, [], 0, "One"]], [[0, [], 0, "Two"]]]],
        [2, "/a.jpg"],
        [10, 1]]})"),
            "## Head\n\n**bold [link](https://a.example/)** \\<x>\\\nend\n\n***\n\n"
            "1. One\n2. Two\n\n![](/a.jpg)\n\n```\nx\n```");
}

TEST(Ghost, SurvivesBodiesThatAreNone) {
  for (const char* const document :
       {"", "{", "[]", "null", R"({"root": 5})", R"({"root": {"children": {"a": 1}}})",
        R"({"sections": [[1], [1, 2, 3], [3, "ul", 5], [10, 99], [10, -1], [10], 7, [[[[]]]],
            [1, "p", [[0, [99], 99999999999, "x"], [1, [], 0, 5], 3, [0, {"a": 1}, "x", 2]]]]})"}) {
    for (const char* const format : {"lexical", "mobiledoc"}) {
      EXPECT_THAT(BodyOfGhostPost(format, document), ::testing::AnyOf("", "x")) << document;
    }
  }
  std::string deep;
  for (int i = 0; i < 20'000; ++i) deep += R"({"children":[)";
  EXPECT_EQ(BodyOfGhostPost("lexical", absl::StrCat(R"({"root":)", deep)), "");
}

TEST(Ghost, SurvivesRowsThatAreNone) {
  const ReadItems items = ReadExport(ReadGhost, GhostExport(R"(
      "posts": [5, null, "x", [], {}, {"id": {}, "title": 5, "html": [], "published_at": "soon",
        "created_at": 99999999999999999999, "status": true}],
      "posts_authors": [{"post_id": [], "author_id": 5, "sort_order": "x"}, 7],
      "posts_tags": {"a": 1}, "users": [null], "tags": ["x"], "posts_meta": [[]])"));
  EXPECT_TRUE(items.status.ok()) << items.status;
  EXPECT_THAT(items.articles, SizeIs(6));
}

TEST(Ghost, RefusesWhatIsNotAnExport) {
  EXPECT_THAT(
      std::string(ReadExport(ReadGhost, R"({"x": [{"data": {"posts": []}}]})").status.message()),
      HasSubstr("no table of posts"));
  // Without the tables at its end, the posts would have no authors.
  const std::string whole = GhostPost(R"("html": "<p>Text</p>")");
  const ReadItems items = ReadExport(ReadGhost, whole.substr(0, whole.size() - 3));
  EXPECT_THAT(std::string(items.status.message()), HasSubstr("ends too early"));
  EXPECT_THAT(items.articles, IsEmpty());
  EXPECT_TRUE(ReadExport(ReadGhost, GhostExport(R"("posts": [])")).status.ok());
}

TEST(Ghost, IsRecognized) {
  EXPECT_TRUE(BeginsLikeGhost(GhostExport("")));
  EXPECT_TRUE(BeginsLikeGhost(R"({"db": [{"data": {"posts": [{"html": "<p>cut)"));
  EXPECT_TRUE(BeginsLikeGhost(R"( {"meta": {"exported_on": 1}, "data")"));
  EXPECT_FALSE(BeginsLikeGhost(R"({"file.json": {"meta": {"exported_on": 1}}})"));
  EXPECT_FALSE(BeginsLikeGhost("{}"));
  EXPECT_FALSE(BeginsLikeGhost("text"));
}

}  // namespace
}  // namespace content::transfer
