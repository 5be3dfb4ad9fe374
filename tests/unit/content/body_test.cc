#include "content/body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace content {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Article Described(absl::string_view body) {
  v1::Article article;
  article.set_body(std::string(body));
  DescribeBody(article);
  return article;
}

// Returns `of(section)` for each section of `body`.
template <class Function>
auto Each(absl::string_view body, Function of) {
  const v1::Article article = Described(body);
  std::vector<decltype(of(article.sections(0)))> values;
  for (const v1::Section& section : article.sections()) values.push_back(of(section));
  return values;
}

std::vector<std::string> Anchors(absl::string_view body) {
  return Each(body, [](const v1::Section& section) { return section.anchor(); });
}

std::vector<std::string> Headings(absl::string_view body) {
  return Each(body, [](const v1::Section& section) { return section.heading(); });
}

std::vector<int> WordsOfSections(absl::string_view body) {
  return Each(body, [](const v1::Section& section) { return section.word_count(); });
}

// The parts of the body that the offsets and lengths of its sections denote.
std::vector<std::string> Slices(absl::string_view body) {
  return Each(body, [body](const v1::Section& section) {
    return std::string(body.substr(static_cast<size_t>(section.byte_offset()),
                                   static_cast<size_t>(section.byte_length())));
  });
}

TEST(Paragraphs, AreBlocksOfRunningTextAtTopLevel) {
  EXPECT_EQ(CountParagraphs(""), 0);
  EXPECT_EQ(CountParagraphs("One\nstill one.\n\nTwo.\n\n***\n\nThree."), 3);
  EXPECT_EQ(CountParagraphs("# Heading\n\n- item\n\n  more\n\n> quote\n\n```\ncode\n```\n\nOne."),
            1);
}

TEST(Sections, BeginAtTheStartAtABreakAndAtAHeading) {
  EXPECT_THAT(
      Slices("Start.\n\nMore.\n\n***\n\nBreak.\n\n# Heading\n\nText.\n\nSetext\n===\nEnd.\n"),
      ElementsAre("Start.\n\nMore.", "Break.", "# Heading\n\nText.", "Setext\n===\nEnd."));
}

TEST(Sections, OfABodyWithoutTextAreNone) {
  EXPECT_THAT(Slices(""), IsEmpty());
  EXPECT_THAT(Slices(" \n\n\t\n"), IsEmpty());
  EXPECT_THAT(Slices("***\n\n---\n"), IsEmpty());
  EXPECT_THAT(Slices("#\n\n##\n"), IsEmpty());
}

TEST(Sections, ThatAreEmptyAreNotListed) {
  EXPECT_THAT(Slices("***\n\nOne.\n\n***\n\n***\n\n# Two\n\n***\n"), ElementsAre("One.", "# Two"));
  EXPECT_THAT(Anchors("***\n\nOne.\n\n***\n\n***\n\nTwo.\n\n***\n"),
              ElementsAre("section-1", "section-2"));
}

TEST(Sections, CombineABreakWithAHeadingRightAfterIt) {
  EXPECT_THAT(Slices("One.\n\n***\n\n# Two\n\nText.\n"), ElementsAre("One.", "# Two\n\nText."));
}

TEST(Sections, BeginOnlyAtTopLevel) {
  EXPECT_THAT(Slices("> # Quoted\n>\n> ***\n\n- # Item\n\n```\n# Code\n***\n```"),
              ElementsAre("> # Quoted\n>\n> ***\n\n- # Item\n\n```\n# Code\n***\n```"));
}

TEST(Sections, AreCutAtBytesOfMultiByteText) {
  EXPECT_THAT(
      Slices("Žluťoučký – 漢字 🦊\n\n***\n\n“Ähm . . .”\n\n## Çava ✓\nñ\n"),
      ElementsAre("Žluťoučký – 漢字 🦊", "“Ähm . . .”", "## Çava ✓\nñ"));
}

TEST(Sections, AreCutCorrectlyWithEveryKindOfLineEnd) {
  EXPECT_THAT(Slices("One\r\ntwo.\r\n\r\n***\r\n\r\n# Three\r\n\r\nFour.\r\n"),
              ElementsAre("One\r\ntwo.", "# Three\r\n\r\nFour."));
  EXPECT_THAT(Slices("One.\r\r***\r\r# Two\r"), ElementsAre("One.", "# Two"));
  EXPECT_THAT(Slices("One.\u2028\u0085Still.\n\n***\nTwo.\v\f\nStill."),
              ElementsAre("One.\u2028\u0085Still.", "Two.\v\f\nStill."));
}

TEST(Sections, KeepIndentationThatMeansCode) {
  EXPECT_THAT(Slices("***\n\n    code\n\n***\n \t\n\tcode\n\n   # Indented\n"),
              ElementsAre("    code", "\tcode", "   # Indented"));
}

TEST(Sections, IncludeTheirLinkDefinitions) {
  EXPECT_THAT(Slices("See [it].\n\n[it]: https://example.org\n\n***\n\n[b]: /b\n\nTwo.\n"),
              ElementsAre("See [it].\n\n[it]: https://example.org", "[b]: /b\n\nTwo."));
}

TEST(Sections, ReachToTheEndOfAnUnclosedFence) {
  EXPECT_THAT(Slices("# One\n\n```\n# not a heading\n\nend"),
              ElementsAre("# One\n\n```\n# not a heading\n\nend"));
}

TEST(Sections, AreFoundAfterAByteOrderMark) {
  EXPECT_THAT(Headings("\uFEFF# One\n\n# Two\n"), ElementsAre("One", "Two"));
}

TEST(Headings, HaveNoMarkup) {
  EXPECT_THAT(Headings("# The *very* `best` [link](/x) &amp; more ##\n\nTwo\nlines  \nhere\n---\n"),
              ElementsAre("The very best link & more", "Two lines here"));
}

TEST(Headings, AreNormalized) {
  EXPECT_THAT(Headings("# e&#x301; \u202Eevil\u202C&nbsp;\u200B\n"), ElementsAre("é evil"));
}

TEST(Headings, AreOneLineWithoutControlCharacters) {
  EXPECT_THAT(Headings("# One&#1;two &#x85;&#9; three&#10;\n\n# &#x2028;\n\nText.\n"),
              ElementsAre("One two three", ""));
}

TEST(Anchors, AreMadeFromTheHeadingOrThePosition) {
  EXPECT_THAT(Anchors("Start.\n\n# Über uns\n\n***\n\nText.\n\n# 漢字\n"),
              ElementsAre("section-1", "uber-uns", "section-3", "section-4"));
}

TEST(Anchors, AreUnique) {
  EXPECT_THAT(Anchors("# Same\n# Same\n# Same 2\n# Same\n"),
              ElementsAre("same", "same-2", "same-2-2", "same-3"));
  EXPECT_THAT(Anchors("# Section 2\n\n***\n\nText.\n"), ElementsAre("section-2", "section-2-2"));
}

TEST(Anchors, OfManyEqualHeadingsTakeLinearTime) {
  std::string body;
  for (int i = 0; i < 100'000; ++i) body += "# a\n";
  EXPECT_EQ(Anchors(body).back(), "a-100000");
}

TEST(WordCounts, IgnoreMarkup) {
  EXPECT_THAT(WordsOfSections("One *two*three [four](https://example.org/five) <b>five</b> - six"),
              ElementsAre(5));
  EXPECT_THAT(
      WordsOfSections("# One two\n\n- three\n- four\n\n> five\n> six\n\n```sh\nseven eight\n```\n"),
      ElementsAre(8));
}

TEST(WordCounts, IncludeTheTextOfHtml) {
  EXPECT_THAT(WordsOfSections("<div class=\"a b\">\ntwo <b>w</b>ords\n</div>\n"), ElementsAre(2));
  EXPECT_THAT(WordsOfSections("<p>One two three.</p><p>four</p>\n<br>five<br/>six\n"),
              ElementsAre(6));
  EXPECT_THAT(WordsOfSections("<table>\n    <tr><td>one</td><td title='x > y'>two</td>\n"),
              ElementsAre(2));
  EXPECT_THAT(WordsOfSections("<p>caf&eacute;&nbsp;noir &amp; R&amp;D &mdash; &#50;</p>"),
              ElementsAre(4));
  EXPECT_THAT(WordsOfSections("<p># one - two *three* [four](x)\n\tfive</p>"), ElementsAre(5));
  EXPECT_THAT(WordsOfSections("one<br>two <span>th</span>ree f<!-- x -->our"), ElementsAre(4));
  EXPECT_THAT(WordsOfSections("- <p>one\n  two</p>\n"), ElementsAre(2));
  EXPECT_THAT(WordsOfSections("<p>東京の天気</p>"), ElementsAre(3));
}

TEST(WordCounts, DoNotIncludeWhatReadersOfHtmlDoNotSee) {
  EXPECT_THAT(WordsOfSections("<!-- one\n\ntwo -->\n"), ElementsAre(0));
  EXPECT_THAT(WordsOfSections("<script>\none\n\ntwo < three\n</script>\n"), ElementsAre(0));
  EXPECT_THAT(WordsOfSections("<STYLE type=x>\none {}\n</STYLE >\n"), ElementsAre(0));
  EXPECT_THAT(WordsOfSections("<div><script>one</script>two<style>three</style></div>"),
              ElementsAre(1));
  EXPECT_THAT(WordsOfSections("one <script>two</script> three <!-- four --> five"), ElementsAre(3));
  EXPECT_THAT(WordsOfSections("<?php echo 1 ?>\n"), ElementsAre(0));
  EXPECT_THAT(WordsOfSections("<!DOCTYPE html>\n"), ElementsAre(0));
  EXPECT_THAT(WordsOfSections("`<script>` is code, 1 < 2 > 0\n"), ElementsAre(6));
}

TEST(WordCounts, OfHostileHtmlTakeLinearTime) {
  for (const char* piece : {"<!--", "<a ", "<a x=\"", "<a x='<b y=\"", "<script>", "</", "&amp",
                            "<?", "<![CDATA[", "<!x", "<style></", "&#"}) {
    std::string body = "<div>\n";
    while (body.size() < 1 << 18) body += piece;
    WordsOfSections(body);
  }
}

TEST(WordCounts, OfSectionsAddUpToThatOfTheArticle) {
  const v1::Article article = Described("One two.\n\n***\n\nThree.\n\n# Four\n\nfive six\n");
  ASSERT_EQ(article.sections_size(), 3);
  EXPECT_EQ(article.sections(0).word_count(), 2);
  EXPECT_EQ(article.sections(1).word_count(), 1);
  EXPECT_EQ(article.sections(2).word_count(), 3);
  EXPECT_EQ(article.word_count(), 6);
}

// The text that `body` has between markup, with the meaning of each piece of markup in brackets.
std::string WithMarkup(absl::string_view body) {
  std::string text;
  size_t at = 0;
  for (const Markup& markup : FindMarkup(body)) {
    absl::StrAppend(&text, body.substr(at, markup.begin - at), "[", markup.text, "]");
    at = markup.end;
  }
  return absl::StrCat(text, body.substr(at));
}

TEST(FindMarkup, FindsTagsAndReferencesOutsideCode) {
  EXPECT_EQ(WithMarkup("a<b>b</b> <br> &amp; &AMP; &D; &nope; `<i>`"),
            "a[]b[] [ ] [&] [&] &D; &nope; `<i>`");
  EXPECT_EQ(WithMarkup("# <b>\n\n    <i>\n\n- <u>\n\n  <p>\n\n***\n> <b>\n"),
            "# []\n\n    <i>\n\n- []\n\n  [ ]\n\n***\n> []\n");
  EXPECT_EQ(WithMarkup("\uFEFF<b>\r\rx `\r<i>\r` y<!--\r-->"), "\uFEFF[]\r\rx `\r<i>\r` y[]");
  EXPECT_EQ(WithMarkup(""), "");
}

TEST(DescribeBody, ReplacesEarlierValues) {
  v1::Article article = Described("One.\n\n***\n\nTwo.");
  article.set_body("Three.");
  DescribeBody(article);
  EXPECT_EQ(article.sections_size(), 1);
  EXPECT_EQ(article.word_count(), 1);
}

}  // namespace
}  // namespace content
