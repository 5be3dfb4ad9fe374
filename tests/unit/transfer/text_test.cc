#include "content/text.h"

#include <cmark.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/time_util.h"
#include "transfer/parse.h"
#include "transfer/refusal.h"

namespace content::transfer {
namespace {

using ::google::protobuf::util::TimeUtil;
using ::testing::_;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;

constexpr absl::string_view kHead = "By Ada Byron\nThursday, June 12, 2025\n";

absl::StatusOr<v1::Article> ReadPage(absl::string_view page,
                                     const Overrides& overrides = {"A title", ""}) {
  absl::StatusOr<ParsedArticle> parsed = Parse(page, Format::kText, overrides);
  if (!parsed.ok()) return parsed.status();
  return std::move(parsed->article);
}

std::string ProblemOfPage(absl::string_view page, const Overrides& overrides = {"A title", ""}) {
  const absl::StatusOr<v1::Article> article = ReadPage(page, overrides);
  if (article.ok()) return "none";
  EXPECT_EQ(article.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(article.status().message());
}

std::string Body(absl::string_view lines) {
  const absl::StatusOr<v1::Article> article = ReadPage(absl::StrCat(kHead, lines));
  EXPECT_TRUE(article.ok()) << article.status();
  return article.ok() ? article->body() : "";
}

std::vector<std::string> Authors(absl::string_view byline) {
  const auto article = ReadPage(absl::StrCat(byline, "\nThursday, June 12, 2025\nText.\n"));
  EXPECT_TRUE(article.ok()) << article.status();
  std::vector<std::string> names;
  if (article.ok()) {
    for (const v1::Author& author : article->authors()) names.push_back(author.display_name());
  }
  return names;
}

// The text of each block of a CommonMark text as a reader sees it; "***" for a thematic break and
// "(markup)" for everything other than plain text.
std::vector<std::string> Rendered(absl::string_view markdown) {
  const std::unique_ptr<cmark_node, decltype(&cmark_node_free)> document(
      cmark_parse_document(markdown.data(), markdown.size(), CMARK_OPT_DEFAULT), &cmark_node_free);
  std::vector<std::string> blocks;
  for (cmark_node* block = cmark_node_first_child(document.get()); block != nullptr;
       block = cmark_node_next(block)) {
    if (cmark_node_get_type(block) == CMARK_NODE_THEMATIC_BREAK) {
      blocks.emplace_back("***");
      continue;
    }
    blocks.emplace_back(cmark_node_get_type(block) == CMARK_NODE_PARAGRAPH ? "" : "(markup)");
    for (cmark_node* inline_node = cmark_node_first_child(block); inline_node != nullptr;
         inline_node = cmark_node_next(inline_node)) {
      const bool is_text = cmark_node_get_type(inline_node) == CMARK_NODE_TEXT;
      blocks.back().append(is_text ? cmark_node_get_literal(inline_node) : "(markup)");
    }
  }
  return blocks;
}

std::string Sample() {
  std::ifstream file(CONTENT_SOURCE_DIR "/deploy/samples/what-the-tide-table-leaves-out.txt");
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// The paragraphs and section breaks of the sample.
std::vector<std::string> SampleBlocks() {
  const auto article = ReadPage(Sample());
  EXPECT_TRUE(article.ok()) << article.status();
  return article.ok() ? Rendered(article->body()) : std::vector<std::string>();
}

// `paragraph` wrapped at `width` characters, its first line at `first_width`.
std::string Wrapped(absl::string_view paragraph, size_t width, size_t first_width) {
  std::vector<std::string> lines;
  for (const absl::string_view word : absl::StrSplit(paragraph, ' ')) {
    const size_t limit = lines.size() > 1 ? width : first_width;
    if (lines.empty() || CountCharacters(lines.back()) + 1 + CountCharacters(word) > limit) {
      lines.emplace_back(word);
    } else {
      absl::StrAppend(&lines.back(), " ", word);
    }
  }
  return absl::StrJoin(lines, "\n");
}

TEST(TextImport, ReadsTheByline) {
  EXPECT_THAT(Authors("By Ada Byron"), ElementsAre("Ada Byron"));
  EXPECT_THAT(Authors("By Ada Byron and John van der Doe"),
              ElementsAre("Ada Byron", "John van der Doe"));
  EXPECT_THAT(Authors("By Ada Byron, bell hooks, and Zoë O’Hara"),
              ElementsAre("Ada Byron", "bell hooks", "Zoë O’Hara"));
  EXPECT_THAT(Authors("By Ada Byron, bell hooks and Sandy Andrews"),
              ElementsAre("Ada Byron", "bell hooks", "Sandy Andrews"));
}

TEST(TextImport, SeparatesAuthorsAtAmpersandsAndCommas) {
  EXPECT_THAT(Authors("By Ada Byron & John Doe"), ElementsAre("Ada Byron", "John Doe"));
  EXPECT_THAT(Authors("By Ada Byron, Bo Li, & John Doe"),
              ElementsAre("Ada Byron", "Bo Li", "John Doe"));
  EXPECT_THAT(Authors("By Ada Byron,John Doe"), ElementsAre("Ada Byron", "John Doe"));
  EXPECT_THAT(Authors("By Ada Byron, and"), ElementsAre("Ada Byron"));
  EXPECT_THAT(Authors("By Ada Byron,"), ElementsAre("Ada Byron"));
}

TEST(TextImport, KeepsSuffixesOfNames) {
  for (const absl::string_view part :
       {"Jr.", "Jr", "Sr.", "II", "III", "IV", "PhD", "Ph.D.", "MD", "M.D."}) {
    const std::string name = absl::StrCat("Ada Byron, ", part);
    EXPECT_THAT(Authors(absl::StrCat("By ", name)), ElementsAre(name));
    EXPECT_THAT(Authors(absl::StrCat("By ", name, ", Bo Li, and John Doe")),
                ElementsAre(name, "Bo Li", "John Doe"));
  }
  EXPECT_THAT(Authors("By Bo Li and Ada Byron, Jr., PhD"),
              ElementsAre("Bo Li", "Ada Byron, Jr., PhD"));
}

TEST(TextImport, ReadsTheDateAsMidnightUtc) {
  const auto article = ReadPage(absl::StrCat(kHead, "Text.\n"));
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(TimeUtil::ToString(article->publish_time()), "2025-06-12T00:00:00Z");
}

TEST(TextImport, AllowsBlankLinesAroundBylineAndDate) {
  const auto article = ReadPage("\n\nBy Ada Byron\n\n  Thursday, June 12, 2025  \n\nText.\n\n");
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->body(), "Text.");
}

TEST(TextImport, RefusesABylineWithoutAuthors) {
  for (const char* byline : {"By", "By:", "By , ", "By ,,", "By and", "By &", "By , and ,"}) {
    EXPECT_THAT(ProblemOfPage(absl::StrCat(byline, "\nThursday, June 12, 2025\nText.\n")),
                HasSubstr("line 1: the byline has no name"))
        << byline;
  }
}

TEST(TextImport, AsksForWhatIsMissing) {
  EXPECT_EQ(ProblemOfPage("Some notes.\n", {}),
            "there is no title above the byline; give it with --title\n"
            "there is no author; write \"By Ada Byron and John Doe\" at the top, or give --author\n"
            "there is no date; write \"Thursday, June 12, 2025\" at the top, or give --date");
  EXPECT_THAT(ProblemOfPage("By Ada Byron\nMonday, June 31, 2025\nText.\n"),
              HasSubstr("there is no date"));
}

TEST(TextImport, TakesWhatIsMissingFromFlags) {
  const auto article =
      ReadPage("Some notes.\n",
               {.title = "Notes", .id = "", .author = "Ada Byron and Bo Li", .date = "2025-06-12"});
  ASSERT_TRUE(article.ok()) << article.status();
  ASSERT_EQ(article->authors_size(), 2);
  EXPECT_EQ(article->authors(1).display_name(), "Bo Li");
  EXPECT_EQ(TimeUtil::ToString(article->publish_time()), "2025-06-12T00:00:00Z");
  EXPECT_EQ(article->body(), "Some notes.");
  EXPECT_EQ(ProblemOfPage(absl::StrCat(kHead, "Text."), {.title = "A", .date = "tomorrow"}),
            "--date is not a date such as 2025-06-12");
}

TEST(TextImport, ReadsTheHeadInAnyOrder) {
  for (const char* head :
       {"Low Water\nBy Ada Byron\nThursday, June 12, 2025\n\n",
        "Low Water\n\nJune 12, 2025\nby Ada Byron\n", "By Ada Byron\nLow Water\n2025-06-12\n",
        "Thursday, 12 June 2025\nLow Water\nBy Ada Byron\n", "By Ada Byron\nJune 12, 2025\n\n",
        "Low Water\nWhat the gauge says\nBY ADA BYRON\n12 de junho de 2025\n"}) {
    const auto article = ReadPage(absl::StrCat(head, "The quay is dry.\n"));
    ASSERT_TRUE(article.ok()) << head << article.status();
    EXPECT_EQ(article->body(), "The quay is dry.") << head;
    EXPECT_EQ(TimeUtil::ToString(article->publish_time()), "2025-06-12T00:00:00Z") << head;
    ASSERT_EQ(article->authors_size(), 1) << head;
    EXPECT_THAT(article->authors(0).display_name(), AnyOf("Ada Byron", "ADA BYRON"));
  }
  EXPECT_EQ(ReadPage("Low Water\nBy Ada\n2025-06-12\nText.", {})->title(), "Low Water");
}

TEST(TextImport, ReadsBylinesInEverySpelling) {
  for (const char* byline :
       {"by Ada Byron", "By: Ada Byron", "By\u00A0Ada Byron", "By\tAda Byron", "\u200BBy Ada Byron",
        "\uFEFFBy Ada Byron", "Written by Ada Byron", "Por Ada Byron", "Von Ada Byron",
        "Par Ada Byron", "作者：Ada Byron", "Автор: Ada Byron", "By Ada Byron, The Harbour Times",
        "By Ada Byron, Staff Writer"}) {
    EXPECT_THAT(Authors(byline), ElementsAre("Ada Byron")) << byline;
  }
  EXPECT_THAT(Authors("By Ada Byron, Esq."), ElementsAre("Ada Byron, Esq."));
  EXPECT_THAT(Authors("By Ada and\u00A0Jo"), ElementsAre("Ada", "Jo"));
  EXPECT_THAT(Authors("BY ADA AND JO"), ElementsAre("ADA", "JO"));
  EXPECT_THAT(Authors("Von Ada und Jo"), ElementsAre("Ada", "Jo"));
  EXPECT_THAT(Authors("Par Élodie Martin"), ElementsAre("Élodie Martin"));
  EXPECT_THAT(Authors("作者：王小明、李四"), ElementsAre("王小明", "李四"));
}

TEST(TextImport, ReadsBylineAndDateOnOneLine) {
  for (const char* head : {"Posted on June 12, 2025 by Ada Byron",
                           "June 12, 2025 by Ada Byron",
                           "By Ada Byron | June 12, 2025",
                           "By Ada Byron, June 12, 2025",
                           "By Ada Byron - June 12, 2025",
                           "By Ada Byron on June 12, 2025",
                           "Posted by Ada Byron on Thursday, June 12, 2025",
                           "By Ada Byron • June 12, 2025 • 5 min read",
                           "June 12, 2025 by Ada Byron Leave a Comment",
                           "June 12, 2025 by Ada Byron — 3 Comments",
                           "By Ada Byron, The Harbour Times, June 12, 2025",
                           "Veröffentlicht am 12. Juni 2025 von Ada Byron",
                           "Publié le 12 juin 2025 par Ada Byron",
                           "Publicado el 12 junio, 2025 por Ada Byron",
                           "Pubblicato il 12 giugno 2025 da Ada Byron",
                           "Opublikowano 12 czerwca 2025 przez Ada Byron",
                           "Author: Ada Byron\nDate: June 12, 2025",
                           "作者：Ada Byron\n2025年6月12日星期四",
                           "作者／Ada Byron\n2025年6月12日",
                           "Author: Ada Byron\nDate: 2025-06-12",
                           "Autor: Ada Byron\nDatum: 12.06.2025",
                           "Автор: Ada Byron\nДата: 2025-06-12",
                           "作者：Ada Byron\n日期：2025-06-12"}) {
    const auto article = ReadPage(absl::StrCat("Low Water\n\n", head, "\n\nIt is dry.\n"), {});
    ASSERT_TRUE(article.ok()) << head << article.status();
    EXPECT_EQ(article->title(), "Low Water") << head;
    ASSERT_EQ(article->authors_size(), 1) << head;
    EXPECT_EQ(article->authors(0).display_name(), "Ada Byron") << head;
    EXPECT_EQ(TimeUtil::ToString(article->publish_time()), "2025-06-12T00:00:00Z") << head;
    EXPECT_EQ(article->body(), "It is dry.") << head;
  }
  for (const char* line :
       {"By June 12, 2025", "By Thursday, June 12, 2025", "Da Roma, 12 giugno 2025"}) {
    EXPECT_THAT(ProblemOfPage(absl::StrCat(line, "\nThursday, June 12, 2025\nText.")),
                HasSubstr("there is no author"))
        << line;
  }
  EXPECT_THAT(Authors("Da Ada Byron, 12 giugno 2025"), ElementsAre("Ada Byron"));
  EXPECT_THAT(ProblemOfPage("On June 12, 2025 by chance I found it.\nText."),
              HasSubstr("there is no date"));
}

TEST(TextImport, ReadsAHeadOfKeys) {
  const auto article =
      ReadPage("Title: Low Water\nAuthor: Ada Byron\nDate: June 12, 2025\n\nIt is dry.\n", {});
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->title(), "Low Water");
  EXPECT_EQ(article->authors(0).display_name(), "Ada Byron");
  EXPECT_EQ(ReadPage("Title / and other words\nBy Ada\n2025-06-12\nText.", {})->title(),
            "Title / and other words");
}

TEST(TextImport, TakesNoSentenceForAByline) {
  for (const char* sentence : {"By the time we came it was dark.", "By now it was dark",
                               "Von dort aus sah man das Meer.", "Por fin llegamos a casa."}) {
    EXPECT_THAT(ProblemOfPage(absl::StrCat(sentence, "\nThursday, June 12, 2025\nText.")),
                HasSubstr("there is no author"))
        << sentence;
  }
}

// The order of Blogger's pages.
TEST(TextImport, ReadsTheAuthorFromTheFooter) {
  const auto article = ReadPage(
      "Thursday, June 12, 2025\nLow Water\n\nThe quay is dry.\n\nPosted by Ada Byron at 10:00 AM\n"
      "Labels: tides, sea, tides\nNo comments:\n",
      {});
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->title(), "Low Water");
  EXPECT_EQ(article->body(), "The quay is dry.");
  EXPECT_EQ(article->authors(0).display_name(), "Ada Byron");
  EXPECT_THAT(article->tags(), ElementsAre("tides", "sea"));
}

TEST(TextImport, RefusesADateWithTheWrongWeekday) {
  EXPECT_EQ(ProblemOfPage("By Ada Byron\nMonday, June 12, 2025\nText.\n"),
            "line 2: \"Monday, June 12, 2025\" is a Thursday");
  EXPECT_EQ(ProblemOfPage("By Ada Byron\nTue, June 12, 2025\nText.\n"),
            "line 2: \"Tue, June 12, 2025\" is a Thursday");
}

TEST(TextImport, ReadsWeekdaysAndMonthsInEverySpelling) {
  for (const char* date :
       {"THURSDAY, JUNE 12, 2025", "Thu, June 12, 2025", "thursday, jun 12, 2025"}) {
    const auto article = ReadPage(absl::StrCat("By Ada Byron\n", date, "\nText.\n"));
    ASSERT_TRUE(article.ok()) << article.status();
    EXPECT_EQ(TimeUtil::ToString(article->publish_time()), "2025-06-12T00:00:00Z") << date;
  }
}

TEST(TextImport, AsksForTheTitle) {
  EXPECT_THAT(ProblemOfPage(absl::StrCat(kHead, "Text.\n"), {}), HasSubstr("--title"));
}

TEST(TextImport, MakesTheNameFromTheTitleUnlessAnIdIsGiven) {
  const std::string page = absl::StrCat(kHead, "Text.\n");
  EXPECT_EQ(ReadPage(page, {"The Título", ""})->name(), "articles/the-titulo");
  EXPECT_EQ(ReadPage(page, {"The Título", "mine"})->name(), "articles/mine");
  EXPECT_THAT(ProblemOfPage(page, {"The Título", "Not an id"}), HasSubstr("--id is not"));
}

TEST(TextImport, RefusesAPageWithoutText) {
  EXPECT_THAT(ProblemOfPage(kHead), HasSubstr("body is required"));
  EXPECT_THAT(ProblemOfPage(absl::StrCat(kHead, "***\n***\nNo comments:\n")),
              HasSubstr("body is required"));
}

TEST(TextImport, JoinsTheLinesOfAParagraphWithSingleSpaces) {
  EXPECT_EQ(Body("This text is broken\n  off at twenty or so  \ncharacters a line."),
            "This text is broken off at twenty or so characters a line.");
}

TEST(TextImport, KeepsTypographicCharacters) {
  EXPECT_EQ(Body("“Well . . . no,” she said – ‘no’ — and went; 2018–19 … é\u00A0ñ."),
            "“Well . . . no,” she said – ‘no’ — and went; 2018–19 … é\u00A0ñ.");
}

TEST(TextImport, EndsAParagraphWhereASentenceStopsEarly) {
  EXPECT_EQ(Body("Here the lines are of some\n"
                 "twenty-six characters, and\n"
                 "this one stops.\n"
                 "So here a new one begins\n"
                 "and goes on in more lines."),
            "Here the lines are of some twenty-six characters, and this one stops.\n\n"
            "So here a new one begins and goes on in more lines.");
}

TEST(TextImport, RecognisesTheEndOfASentenceBeforeClosingMarks) {
  for (const char* end : {".", "!", "?", "…", ".”", "?’", "!)", ".\"", ".]", ".”)", "!“", "?»"}) {
    const std::string body =
        Body(absl::StrCat("Here the lines are of some\ntwenty-six characters, and\nhere it ends",
                          end, "\nSo here a new one begins\nand goes on in more lines."));
    EXPECT_THAT(Rendered(body), SizeIs(2)) << end;
  }
}

TEST(TextImport, ContinuesAfterALineThatStopsEarlyInMidSentence) {
  EXPECT_THAT(Rendered(Body("Here the lines are of some\n"
                            "twenty-six characters, and\n"
                            "this one stops,\n"
                            "but the sentence does not.")),
              SizeIs(1));
}

TEST(TextImport, EndsAParagraphWhereALineStopsEarlyAtAColon) {
  EXPECT_THAT(Rendered(Body("Here the lines are of some\n"
                            "twenty-six characters, and\n"
                            "then one says:\n"
                            "“So here a new one begins\n"
                            "and goes on in one.”\n"
                            "This does not stop early:\n"
                            "nevertheless it goes on.")),
              ElementsAre("Here the lines are of some twenty-six characters, and then one says:",
                          "“So here a new one begins and goes on in one.”",
                          "This does not stop early: nevertheless it goes on."));
}

TEST(TextImport, MakesEachItemOfAListAParagraph) {
  for (const std::string bullet : {"- ", "* ", "• "}) {
    EXPECT_THAT(Rendered(Body(absl::StrCat("Here the lines are of some\n"
                                           "twenty-six characters, and\n"
                                           "these are items\n",
                                           bullet, "one item\n",  //
                                           bullet, "an item that goes on in\n",
                                           "the next line.\n",  //
                                           bullet, "the last item\n",
                                           "So here a new one begins\n"
                                           "and goes on in more lines."))),
                ElementsAre("Here the lines are of some twenty-six characters, and these are items",
                            absl::StrCat(bullet, "one item"),
                            absl::StrCat(bullet, "an item that goes on in the next line."),
                            absl::StrCat(bullet, "the last item"),
                            "So here a new one begins and goes on in more lines."));
  }
}

TEST(TextImport, ContinuesWhereAWrappedLineBeginsWithADash) {
  EXPECT_THAT(Rendered(Body("Here the lines are of some\n"
                            "twenty-six characters each\n"
                            "- more or less - and these\n"
                            "do not make a list.")),
              SizeIs(1));
}

TEST(TextImport, ContinuesWhereTheNextWordWouldNotHaveFitted) {
  EXPECT_THAT(Rendered(Body("Here the lines are of some\n"
                            "twenty-six characters. The\n"
                            "third of them seems over.\n"
                            "Nevertheless it is not.")),
              SizeIs(1));
}

TEST(TextImport, MeasuresCharactersNotBytes) {
  EXPECT_THAT(Rendered(Body("Ééééééé ééé ééééé ééé éé éé\n"
                            "Here all lines of text are\n"
                            "twenty-six characters. Éé.\n"
                            "Nevertheless it is not an,\n"
                            "end.")),
              SizeIs(1));
}

TEST(TextImport, GivesFirstLinesTheirOwnWidth) {
  EXPECT_THAT(Rendered(Body("This first line is\n"
                            "narrower than the others, as\n"
                            "first lines often are.\n"
                            "Does this one end?\n"
                            "Certainly it does not end at\n"
                            "the question mark.\n"
                            "Another first line\n"
                            "is just as narrow, which can\n"
                            "be seen.")),
              ElementsAre("This first line is narrower than the others, as first lines often are.",
                          "Does this one end? Certainly it does not end at the question mark.",
                          "Another first line is just as narrow, which can be seen."));
}

TEST(TextImport, RecognisesAFullLastLineByTheNarrowFirstLineAfterIt) {
  EXPECT_THAT(Rendered(Body("This first line is\n"
                            "narrower than the others, as\n"
                            "they often are on this page.\n"
                            "Another first line\n"
                            "is just as narrow, which can\n"
                            "be seen here.\n"
                            "A third one is one\n"
                            "of the very same kind too.")),
              SizeIs(3));
}

TEST(TextImport, IsNotMisledByAFewLinesThatAreTooLong) {
  std::vector<std::string> blocks = SampleBlocks();
  std::vector<std::string> lines = absl::StrSplit(Wrapped(blocks[0], 79, 57), '\n');
  ASSERT_GT(lines.size(), 4u);
  absl::StrAppend(&lines[2], " unforeseen");
  lines[3] = absl::StrCat("words ", lines[3]);
  blocks[0] = absl::StrJoin(lines, " ");
  std::vector<std::string> page = {absl::StrJoin(lines, "\n")};
  for (size_t i = 1; i < blocks.size(); ++i) page.push_back(Wrapped(blocks[i], 79, 57));
  EXPECT_EQ(Rendered(Body(absl::StrJoin(page, "\n"))), blocks);
}

TEST(TextImport, EndsAParagraphAtABlankLine) {
  EXPECT_EQ(Body("A heading without stop\n\nThis text is broken\noff at twenty or so,\n \nand "
                 "goes on."),
            "A heading without stop\n\nThis text is broken off at twenty or so,\n\nand goes on.");
}

TEST(TextImport, MakesLinesThatAreNotWrappedParagraphs) {
  EXPECT_THAT(Rendered(Body("The first of these lines is rather long. It has two sentences.\n"
                            "A heading\n"
                            "This one is the longest of them all. It is longer than the first of "
                            "them. It stands for itself.\n"
                            "So does this one.\n")),
              SizeIs(4));
}

TEST(TextImport, KeepsSectionBreaksBetweenText) {
  EXPECT_EQ(Body("***\nOne.\n***\n* * *\nTwo.\n\n***\n\nThree.\n***\n"),
            "One.\n\n***\n\nTwo.\n\n***\n\nThree.");
}

TEST(TextImport, DropsTheFooter) {
  for (const char* footer :
       {"No comments:", "No Comments", "NO COMMENTS:", "1 comment:", "1 Comment",
        "23 comments:", "1,234 comments:", "Post a Comment", "Post a comment:", "Leave a comment",
        "Posted by Ada at 10:00 AM", "Posted by Ada Byron at 9:05 pm", "Posted by Ada at 22:15",
        "Email ThisBlogThis!Share to X",
        "Email ThisBlogThis!Share to XShare to FacebookShare to Pinterest"}) {
    EXPECT_EQ(Body(absl::StrCat("Text.\n", footer, "\nAnn said...\nI like it.\n")), "Text.")
        << footer;
  }
}

TEST(TextImport, KeepsSentencesThatResembleAFooter) {
  for (const std::string sentence :
       {"No comments: that was it.", "No comment", "No comments.", "Many comments:", "comments",
        "He got 3 comments", "3 comments were", "1.5 comments", "Post a Comment?",
        "Please leave a comment", "Posted by Ada at 10:00 AM, it was gone by noon.",
        "Posted by Ada at the gate", "Posted by Ada at 25:00", "Posted by Ada",
        "It was posted by Ada at 10:00 AM", "Email this to a friend", "They email ThisBlogThis!"}) {
    EXPECT_THAT(Rendered(Body(absl::StrCat(sentence, "\n\nMore."))),
                ElementsAre(sentence, "More."));
  }
}

TEST(TextImport, EscapesMarkup) {
  for (const std::string text : {"# not a heading",
                                 "1. not a list",
                                 "2025) not a list",
                                 "- x",
                                 "-",
                                 "+ x",
                                 "-5 degrees",
                                 "+1 for that",
                                 "> x",
                                 "*x*",
                                 "_x_ a_b_c",
                                 "**",
                                 "`x`",
                                 "```",
                                 "~~~ x",
                                 "===",
                                 "[x](y)",
                                 "[x]: y",
                                 "![x](y)",
                                 "<b>x</b>",
                                 "<!-- x -->",
                                 "<http://x.org>",
                                 "http://example.org/a_b_c?d=*e*&f=1#g",
                                 "AT&T &amp; &#35; &copy;",
                                 "\\",
                                 "\\*",
                                 "x\\",
                                 "... and . . . so",
                                 "|a|b|",
                                 "\"q\" 'q' “q”",
                                 "$x^2$",
                                 "a  b",
                                 "x!",
                                 "100% @ #1",
                                 "2. ",
                                 "a\tb"}) {
    EXPECT_THAT(Rendered(Body(text)), ElementsAre(absl::StripTrailingAsciiWhitespace(text)));
  }
}

TEST(TextImport, EscapesAnyMixOfMarkup) {
  static constexpr const char* kPieces[] = {
      "a",     "b",       "1", "2", ".", ")",  "-", "+",  "*", "_", "#", "&", "amp;", "<",
      ">",     "[",       "]", "(", "!", "`",  "~", "\\", ":", "/", " ", " ", "=",    "|",
      "nbsp;", "http://", "“", "…", "—", "\"", "$", "^",  "{", "%", "@", ";", "~~~",  "```"};
  std::mt19937 random(20250612);
  std::uniform_int_distribution<size_t> piece(0, std::size(kPieces) - 1);
  for (int i = 0; i < 2'000; ++i) {
    std::string text = "a";
    for (int n = 0; n < 8; ++n) text += kPieces[piece(random)];
    text = std::string(absl::StripAsciiWhitespace(text.substr(1)));
    const bool is_sign = text.find_first_not_of("*-_~# ") == std::string::npos;
    if (text.empty() || is_sign) continue;
    ASSERT_THAT(Rendered(Body(text)), ElementsAre(text));
  }
}

// Three lines of prose, which fill their width.
constexpr absl::string_view kProse =
    "The water had gone out further than anybody in the town could\n"
    "remember, and the boats lay on their sides in the mud like old\n"
    "dogs that nobody had called home before the night had come.\n";
const std::string& ProseParagraph() {
  static const auto& text =
      *new std::string(absl::StripAsciiWhitespace(absl::StrReplaceAll(kProse, {{"\n", " "}})));
  return text;
}

// The blocks of a page with lines between two paragraphs of prose.
std::vector<std::string> AmongProse(absl::string_view lines) {
  return Rendered(Body(absl::StrCat(kProse, kProse, "\n", lines, "\n", kProse, kProse)));
}

std::string TwiceProse() { return absl::StrCat(ProseParagraph(), " ", ProseParagraph()); }

TEST(TextImport, JoinsLinesWhateverIsAmongThem) {
  for (const absl::string_view odd :
       {"Older things\nHome again\nArchive of all\n2025 (4)\nJuly (2)\nJune\nMay\nApril\n",
        "Ann\nBo\nCem\nDee\nEva\nFinn\nGus\nHal\nIda\nJo\nKim\n",
        "- Ann\n- Bo\n- Cem\n- Dee\n- Eva\n- Finn\n- Gus\n- Hal\n- Ida\n",
        "The tide came in,\nthe tide went out,\nand we stood by\nwithout a shout.\n\n"
        "The moon came up,\nthe moon went down,\nand all the lamps\nwent out in town.\n"}) {
    const std::vector<std::string> blocks = AmongProse(odd);
    EXPECT_EQ(blocks.front(), TwiceProse()) << odd;
    EXPECT_EQ(blocks.back(), TwiceProse()) << odd;
  }
}

TEST(TextImport, KeepsTheLinesOfVerseAndAddresses) {
  EXPECT_THAT(Body(absl::StrCat(kProse, kProse,
                                "\nThe tide came in,\n  the tide went out.\nWe stood by\n"
                                "without a shout.\n\n",
                                kProse)),
              HasSubstr("\n\nThe tide came in,\\\nthe tide went out.\\\nWe stood by\\\nwithout a "
                        "shout.\n\n"));
  EXPECT_THAT(Body(absl::StrCat(kProse, kProse, "\nAda Byron\n12 Quay Road\n\n", kProse)),
              HasSubstr("\n\nAda Byron\\\n12 Quay Road\n\n"));
}

TEST(TextImport, KeepsTheLinesOfAPageOfVerse) {
  for (const std::string verse :
       {"The tide came in at half past ten\nAnd took the crate away,\n"
        "It brought it back again at noon,\nAnd there it is today.\n\n"
        "For what the water takes at night\nIt seldom takes to keep,\n"
        "And what it leaves upon the sand\nIs what it has from sleep.\n",
        "An empty harbour\nA gull looks for the crate\nSplash! The tide is in\n\n"
        "Over the quay wall\nA clerk leans silently\nInto the evening\n",
        "Über allen Kisten\nIst Ruh,\nIm Hafen\nSiehst du\nKaum einen Mann.\n",
        "I met a traveller from an antique land,\nWho said the crate and all that it had held\n"
        "Stood in the desert near them, on the sand,\nHalf sunk and shattered, with a label on,\n"
        "And wrinkled paper, and a cold command,\nTo keep it dry.\n"}) {
    std::string kept = absl::StrReplaceAll(absl::StripSuffix(verse, "\n"), {{"\n", "\\\n"}});
    kept = absl::StrReplaceAll(kept, {{"\\\n\\\n", "\n\n"}});
    EXPECT_EQ(Body(verse), kept);
  }
  // Prose above it stays prose.
  const std::string prose = "I found this on the wall of the shed\nbehind the office.\n\n";
  EXPECT_THAT(
      Rendered(Body(absl::StrCat(prose,
                                 "The tide came in at half past ten\nAnd took the crate away,\n"
                                 "It brought it back again at noon,\nAnd there it is today\n"
                                 "For what the water takes at night\nIt seldom takes to keep.\n"))),
      ElementsAre("I found this on the wall of the shed behind the office.",
                  HasSubstr("half past ten(markup)And took")));
  EXPECT_EQ(Body("THE HARBOUR WAS QUIET ON THE MORNING\nTHAT THE CRATE WENT MISSING, AND NOBODY\n"
                 "ON THE QUAY COULD SAY AFTERWARDS WHO\nHAD SEEN IT LAST BEFORE THE TIDE AND THE\n"
                 "NIGHT WATCH CAME.\n"),
            "THE HARBOUR WAS QUIET ON THE MORNING THAT THE CRATE WENT MISSING, AND NOBODY ON THE "
            "QUAY COULD SAY AFTERWARDS WHO HAD SEEN IT LAST BEFORE THE TIDE AND THE NIGHT WATCH "
            "CAME.");
}

// Less of a page is prose than is not.
TEST(TextImport, JoinsTheLinesOfProseAmongManyOddBlocks) {
  EXPECT_EQ(
      Body(absl::StrCat(
          kProse,
          "\n    Buy:\n    - rope\n    - tar,\n      two tins\n    - a lamp\n\n"
          "Then there was the song:\n\n    The tide comes in, the tide goes out,\n"
          "      The lamp is on the wall,\n    And he who waits upon the pier\n"
          "      Will hear the water call.\n\nHis address:\n\nT. Smith\n12 Harbour Lane\n"
          "Lowtown\n\n1. He ate.\n2. He slept for a very long time, longer than anybody\n"
          "   who was twelve could sleep.\n3. He left.\n\n[lamp]\ncolour = red\n; none\n")),
      absl::StrCat(
          ProseParagraph(),
          "\n\nBuy:\n\n\\- rope\n\n\\- tar, two tins\n\n\\- a lamp\n\n"
          "Then there was the song:\n\nThe tide comes in, the tide goes out,\\\n"
          "The lamp is on the wall,\\\nAnd he who waits upon the pier\\\n"
          "Will hear the water call.\n\nHis address:\n\nT. Smith\\\n12 Harbour Lane\\\n"
          "Lowtown\n\n1\\. He ate.\n\n2\\. He slept for a very long time, longer than anybody "
          "who was twelve could sleep.\n\n3\\. He left.\n\n\\[lamp\\]\\\ncolour = red\\\n"
          "; none"));
}

TEST(TextImport, KeepsShortLines) {
  EXPECT_EQ(Body("O tide,\nO lamp,\nO wall —\n\nWho calls?\nNobody calls.\n"),
            "O tide,\\\nO lamp,\\\nO wall —\n\nWho calls?\\\nNobody calls.");
  EXPECT_THAT(AmongProse("Who calls?\nNobody calls.\nNobody came.\n"),
              ElementsAre(TwiceProse(), "Who calls?(markup)Nobody calls.(markup)Nobody came.",
                          TwiceProse()));
  EXPECT_THAT(
      AmongProse("[lamp]\ncolour = red\n; comment\n"),
      ElementsAre(TwiceProse(), "[lamp](markup)colour = red(markup); comment", TwiceProse()));
}

TEST(TextImport, BeginsAParagraphWhereSomebodyElseSpeaks) {
  const std::string questions =
      "Q: Who came?\nA: A boy, who had been out so long that none of us knew\n"
      "where he was from.\nQ: When?\nA: At night.\n\n";
  // Blank lines are trusted on such a page.
  const std::string page =
      absl::StrCat(kProse, "\n", kProse, "\n", questions, kProse, "\n", kProse);
  EXPECT_THAT(
      Rendered(Body(page)),
      ElementsAre(ProseParagraph(), ProseParagraph(), "Q: Who came?",
                  "A: A boy, who had been out so long that none of us knew where he was from.",
                  "Q: When?", "A: At night.", ProseParagraph(), ProseParagraph()));
}

// Prose in narrower lines than the rest, and in lines that somebody broke where a clause ends.
TEST(TextImport, KeepsNoLinesOfProse) {
  for (const std::string prose : {"In no case was there anybody at the wall that\n"
                                  "could have lit the lamp; and so it was dark,\n"
                                  "as it had always been since that storm in\n"
                                  "which we lost it.",
                                  "There has never been a reason for such fear of the water;\n"
                                  "the evidence has all the while been open to their inspection,\n"
                                  "and is found in nearly all the books that he had written,\n"
                                  "who now speaks to us."}) {
    const std::string joined = absl::StrReplaceAll(prose, {{"\n", " "}});
    const std::string indented = absl::StrReplaceAll(prose, {{"\n", "\n     "}});
    EXPECT_THAT(AmongProse(absl::StrCat(prose, "\n")),
                ElementsAre(TwiceProse(), joined, TwiceProse()));
    EXPECT_THAT(AmongProse(absl::StrCat("     ", indented, "\n")),
                ElementsAre(TwiceProse(), joined, TwiceProse()));
    EXPECT_EQ(Body(absl::StrCat("The Quay\n\n", prose, "\n\nAda Byron\n12 Quay Road\n")),
              absl::StrCat("The Quay\n\n", joined, "\n\nAda Byron\\\n12 Quay Road"));
  }
}

TEST(TextImport, ContinuesHangingLinesOnAPageOfIndents) {
  std::string page;
  for (int i = 0; i < 4; ++i) {
    absl::StrAppend(&page, "   The water had gone out further than anybody in the town could\n",
                    "remember, and so the boats lay on their sides in all of the mud.\n");
  }
  absl::StrAppend(&page, "\n1. The lamp is lit near the place where\n   the water is low.\n");
  EXPECT_THAT(Rendered(Body(page)).back(),
              "1. The lamp is lit near the place where the water is low.");
}

// German has many capitals, and so has a list of names.
TEST(TextImport, JoinsWrappedLinesThatBeginWithCapitals) {
  for (const std::string prose :
       {"Die Beamten sprachen lange über den Entwurf eines\nGesetzes und über die Folgen des "
        "neuen\n"
        "Einkommensteuergesetzes und gegen den erklärten\nWillen der vielen und immer noch "
        "zornigen\n"
        "Bürgerinnen und Bürger im Hafen, denen das ganze\nVorhaben fremd war.",
        "The party on the quay that night was made up of Mary\nShelley and her husband, of good "
        "old Sir Humphry\nDavy with his lamps, the three sisters of William\nHerschel, the young "
        "and not yet famous poet, and Ada\nByron with a cat."}) {
    const std::string joined = absl::StrReplaceAll(prose, {{"\n", " "}});
    EXPECT_EQ(Body(prose), joined);
  }
}

TEST(TextImport, JoinsWrappedLinesAmongLinesThatAreNot) {
  const std::string address = "https://www.example.org/harbour/2025/06/12/the-crate-that-went.html";
  EXPECT_THAT(Rendered(Body(absl::StrCat(kProse, "\n", address, "\n\n", address, "?page=2\n"))),
              ElementsAre(ProseParagraph(), _, _));
  const std::string unwrapped = TwiceProse();
  EXPECT_THAT(Rendered(Body(absl::StrCat(unwrapped, "\n\n", kProse, "\n", unwrapped, "\n\n",
                                         "Ada Byron\n12 Quay Road\n\n", unwrapped, "\n"))),
              ElementsAre(unwrapped, ProseParagraph(), unwrapped, "Ada Byron(markup)12 Quay Road",
                          unwrapped));
}

TEST(TextImport, KeepsColumnsAndCode) {
  EXPECT_THAT(Body(absl::StrCat(kProse, "\n  Port      High\n  Bergen    1.4\n\n", kProse)),
              HasSubstr("\n\n```\nPort      High\nBergen    1.4\n```\n\n"));
  EXPECT_THAT(Body(absl::StrCat(kProse, "\nint f() {\n  return 1;\n}\n\n", kProse)),
              HasSubstr("\n\n```\nint f() {\n  return 1;\n}\n```\n\n"));
}

TEST(TextImport, MakesAQuoteOfLinesAfterSigns) {
  EXPECT_THAT(
      Body(absl::StrCat(kProse, "\n> ",
                        absl::StrReplaceAll(absl::StripSuffix(kProse, "\n"), {{"\n", "\n> "}}),
                        "\n\n", kProse)),
      HasSubstr(absl::StrCat("\n\n> ", ProseParagraph(), "\n\n")));
}

TEST(TextImport, MakesEachNumberedItemAParagraph) {
  EXPECT_THAT(AmongProse("1. Buy rope\n2. Tie boat\n3. Go home\n"),
              ElementsAre(TwiceProse(), "1. Buy rope", "2. Tie boat", "3. Go home", TwiceProse()));
  EXPECT_THAT(AmongProse("a) Buy rope\nb) Tie boat\n"),
              ElementsAre(TwiceProse(), "a) Buy rope", "b) Tie boat", TwiceProse()));
  for (const char* bullet : {"– ", "· ", "•\t"}) {
    EXPECT_THAT(AmongProse(absl::StrCat(bullet, "rope\n", bullet, "boat\n")),
                ElementsAre(TwiceProse(), absl::StrCat(bullet, "rope"),
                            absl::StrCat(bullet, "boat"), TwiceProse()));
  }
}

TEST(TextImport, ContinuesAnItemInNarrowerLines) {
  EXPECT_THAT(
      AmongProse("- A boat that has no name or no number\n  takes the berth of the Harbour "
                 "master\n  Unless he is out.\n- Another\n"),
      ElementsAre(TwiceProse(),
                  "- A boat that has no name or no number takes the berth of the Harbour master "
                  "Unless he is out.",
                  "- Another", TwiceProse()));
}

TEST(TextImport, SetsHeadingsWithoutBlankLinesApart) {
  EXPECT_THAT(Rendered(Body(absl::StrCat(kProse, "It was dark.\nThe Missing Crate\n", kProse))),
              ElementsAre(ProseParagraph(), "It was dark.", "The Missing Crate", ProseParagraph()));
}

TEST(TextImport, EndsParagraphsAtLinesThatOnlyLookBlank) {
  for (const char* line : {"\u00A0", "\u00A0 \u00A0", "\u200B", "\u3000"}) {
    EXPECT_THAT(Rendered(Body(absl::StrCat("One thing,\n", line, "\nand another"))),
                ElementsAre("One thing,", "and another"));
  }
}

TEST(TextImport, JoinsWordsAtHyphensAndDashes) {
  const auto join = [](absl::string_view first, absl::string_view second) {
    const std::string lines =
        absl::StrCat(kProse, "The water had gone out further than anybody could s", first, "\n",
                     second, " wide and long and deep and far away.\n", kProse);
    const std::vector<std::string> blocks = Rendered(Body(lines));
    return absl::StrJoin(blocks, " ");
  };
  EXPECT_THAT(join("ee face-to-", "face"), HasSubstr("face-to-face"));
  EXPECT_THAT(join("hut—", "nobody"), HasSubstr("shut—nobody"));
  EXPECT_THAT(join("hut —", "nobody"), HasSubstr("shut — nobody"));
  EXPECT_THAT(join("expect\u00AD", "ed"), HasSubstr("sexpected"));
  EXPECT_THAT(join("ee first-", "and second-class"), HasSubstr("first- and second-class"));
}

TEST(TextImport, KeepsIndentedAndFencedCode) {
  for (const std::string code :
       {"#include <stdio.h>\n\nint main(void) {\n    printf(\"hi\");\n\n    return 0;\n}",
        "def f(x):\n    return x + 1\n\nfor i in range(3):\n    print(f(i))",
        "for i in range(3):\n\tprint(i)\nprint(\"done\")", "{\n  \"a\": 1,\n  \"b\": [1, 2]\n}",
        "<div>\n  <p>Hello</p>\n</div>"}) {
    const std::string expected = absl::StrCat("\n\n```\n", code, "\n```\n\n", ProseParagraph());
    for (const std::string indent : {"    ", "\t"}) {
      std::string indented = absl::StrCat("\n", code);
      indented = absl::StrReplaceAll(indented, {{"\n", absl::StrCat("\n", indent)}});
      indented = absl::StrReplaceAll(indented, {{absl::StrCat("\n", indent, "\n"), "\n\n"}});
      EXPECT_THAT(Body(absl::StrCat(kProse, indented, "\n\n", kProse)), HasSubstr(expected))
          << code;
    }
    EXPECT_THAT(Body(absl::StrCat(kProse, "\n```\n", code, "\n```\n\n", kProse)),
                HasSubstr(expected));
  }
  EXPECT_THAT(Body(absl::StrCat(kProse, "```python\nx\n```\n", kProse)),
              HasSubstr("\n\n```python\nx\n```\n\n"));
  EXPECT_THAT(Body(absl::StrCat(kProse, "\n$ git clone x\n$ cd x\n$ make\n\n", kProse)),
              HasSubstr("\n\n```\n$ git clone x\n$ cd x\n$ make\n```\n\n"));
}

TEST(TextImport, TakesNoIndentedTextForCode) {
  for (const std::string text :
       {"    “The crate (so he said) was gone; nobody saw\n    it, and nobody asked.”\n",
        "    The tide came in;\n      The crate went out;\n    And so did we.\n",
        "```\nAn end?\n"}) {
    EXPECT_THAT(Body(absl::StrCat(kProse, "\n", text, "\n", kProse)), Not(HasSubstr("\n```")));
  }
  // A fence that nothing closes.
  EXPECT_THAT(Body(absl::StrCat(kProse, "\n```\nOne.\n\n", kProse)), HasSubstr(ProseParagraph()));
}

TEST(TextImport, MakesHeadingsOfUnderlinedLines) {
  EXPECT_EQ(Body("Introduction\n============\n\nOne.\nThe Crate\n---------\nTwo.\n\n"
                 "Who saw it?\n-----------\nThree.\n\n=======\nThe End\n=======\nFour.\n"),
            "## Introduction\n\nOne.\n\n### The Crate\n\nTwo.\n\n### Who saw it?\n\nThree.\n\n"
            "## The End\n\nFour.");
  EXPECT_EQ(Body("One.\n\n==========\n\nTwo.\n"), "One.\n\n***\n\nTwo.");
}

TEST(TextImport, KeepsTablesWithRules) {
  for (const std::string table :
       {"Name   Count\n----   -----\nRope       3", "Name   Count\n------------\nRope       3",
        "+------+---+\n| Name | N |\n+------+---+\n| Rope | 3 |\n+------+---+"}) {
    EXPECT_THAT(Body(absl::StrCat(kProse, "\n", table, "\n\n", kProse)),
                HasSubstr(absl::StrCat("\n\n```\n", table, "\n```\n\n")));
  }
}

TEST(TextImport, RecognisesTheUsualSectionBreaks) {
  for (const char* sign : {"***", "* * *", "*   *   *   *   *", "****", "---", "- - -", "#", "⁂",
                           "~ ~ ~", "_____", "• • •", "*\u00A0*\u00A0*"}) {
    EXPECT_EQ(Body(absl::StrCat("One.\n", sign, "\nTwo.\n")), "One.\n\n***\n\nTwo.") << sign;
  }
}

TEST(TextImport, ReadsChinese) {
  EXPECT_EQ(
      Body("　　下午潮水退去之后港口变得非常安静没有人在码头上走动\n只有几只海鸥站在旧船的桅杆上看"
           "着远"
           "处的灯塔慢慢亮\n起来。\n　　第二天早晨我们又来到这里想要看看昨天的那些船是否\n还在原来"
           "的地方。\n"),
      "下午潮水退去之后港口变得非常安静没有人在码头上走动只有几只海鸥站在旧船的桅杆上看着远处的灯塔"
      "慢慢亮起来。\n\n第二天早晨我们又来到这里想要看看昨天的那些船是否还在原来的地方。");
  EXPECT_THAT(Rendered(Body("潮水退去。\n我们回家。\n")), SizeIs(2));
}

TEST(TextImport, KnowsTheStopsOfManyScripts) {
  for (const char* stop : {"。", "！", "？", "।", "۔", "؟", "。」", ".[3]", ".¹", "—”", ".)"}) {
    const std::string body =
        Body(absl::StrCat("Here the lines are of some\ntwenty-six characters, and\nhere it ends",
                          stop, "\nSo here a new one begins\nand goes on in more lines."));
    EXPECT_THAT(Rendered(body), SizeIs(2)) << stop;
  }
}

TEST(TextImport, ReadsOldFiles) {
  EXPECT_EQ(Body("One.\n\fTwo.\n\x1A\x1A\n"), "One.\n\nTwo.");
  EXPECT_EQ(Body("One.\u2029Two."), "One.\n\nTwo.");
  const auto article = ReadPage("By Ada Byron\r2025-06-12\rText.\r");
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->body(), "Text.");
}

TEST(TextImport, ReadsDoubleSpacedLines) {
  const std::string spaced =
      absl::StrReplaceAll(absl::StrCat(kProse, kProse, kProse), {{"\n", "\n\n"}});
  EXPECT_EQ(Body(spaced), absl::StrCat(TwiceProse(), " ", ProseParagraph()));
  // A heading may be closer, and paragraphs further away.
  EXPECT_EQ(Body(absl::StrCat("Low Water\n=========\n\n", spaced, "\n\n", spaced)),
            absl::StrCat("## Low Water\n\n", TwiceProse(), " ", ProseParagraph(), "\n\n",
                         TwiceProse(), " ", ProseParagraph()));
}

TEST(TextImport, TrustsBlankLines) {
  std::string page;
  for (int i = 0; i < 6; ++i) absl::StrAppend(&page, kProse, "\n");
  absl::StrAppend(
      &page, "It was over.\nThen the water came back to where it had been before, and\n", kProse);
  EXPECT_THAT(Rendered(Body(page)), SizeIs(7));
}

TEST(TextImport, EndsParagraphsAtIndentedLines) {
  std::string page;
  for (int i = 0; i < 5; ++i) {
    absl::StrAppend(&page, "     Then it was that the water had gone out further than\n",
                    "anybody could remember, so that all of the boats were lying in\n",
                    "the mud. And the dogs went to look for what there was to find.\n");
  }
  EXPECT_THAT(Rendered(Body(page)), SizeIs(5));
}

TEST(TextImport, SetsJustifiedLinesWithSingleSpaces) {
  EXPECT_THAT(Body(absl::StrReplaceAll(kProse, {{"out further", "out  further"}})),
              HasSubstr("out further"));
}

TEST(TextImport, DropsTheFootersOfBlogs) {
  for (const char* footer :
       {"Posted by Ada at 7:44 AM Email ThisBlogThis!Share to X",
        "Labels: a, b\nNo comments:",
        "Email This\nBlogThis!\nShare to X",
        "Email This BlogThis! Share to X",
        "SHARE: Email ThisBlogThis!Share to X",
        "Posted by\nAda\nat\n10:00 AM",
        "Posted by Ada at 10:00 AM No comments:",
        "Newer Post Older Post Home",
        "Newer Post\nOlder Post\nHome",
        "Subscribe to: Post Comments (Atom)",
        "No\u00A0comments:",
        "Nenhum comentário:\nPostar um comentário",
        "Postado por Ada às 10:00",
        "Publicado por Ada en 10:00\nEtiquetas: a",
        "No hay comentarios:",
        "Eingestellt von Ada um 10:00",
        "Keine Kommentare:\nKommentar veröffentlichen",
        "Publié par Ada à 10:00",
        "Aucun commentaire:\nEnregistrer un commentaire",
        "Gepost door Ada op 10:00",
        "Geen opmerkingen:\nEen reactie posten",
        "Pubblicato da Ada alle 10:00",
        "Nessun commento:\nPosta un commento",
        "Share this:\nTwitter\nFacebook\nLike this:\nLike Loading...\nRelated",
        "Leave a Reply\nCancel reply",
        "Ann said...\nI like it.\nJune 12, 2025 at 10:00 AM\n\nBo said…\nSo do I.\n"
        "June 13, 2025 at 9:05 PM\nPost a Comment",
        "2 comments:\nAnn\nI like it.\nBo\nSo do I.\nPost a Comment",
        "Newer Post Older Post Home\nSubscribe to: Post Comments (Atom)\nBlog Archive\n"
        "▼  2025 (4)\n►  July (2)"}) {
    EXPECT_EQ(Body(absl::StrCat("Text.\n", footer, "\n")), "Text.") << footer;
  }
}

// What is cut is gone, so a line of a footer is not enough where the text goes on.
TEST(TextImport, KeepsProseBelowWhatLooksLikeAFooter) {
  for (const std::string lines :
       {"No comments", "Loading...", "Ann said...", "► The gauge\n\n► The book\n\n► The bell",
        "Home", "Share this:", "Labels: a, b", "3 comments"}) {
    EXPECT_THAT(Body(absl::StrCat("One.\n\n", lines, "\n\nThen the water rose.\n")),
                HasSubstr("Then the water rose."))
        << lines;
  }
  EXPECT_THAT(Body("Ann said...\n\nIt was low.\n\nBo said...\n\nIt was not.\n\nPost a Comment\n"),
              AllOf(HasSubstr("It was low."), HasSubstr("It was not."), Not(HasSubstr("Post"))));
  EXPECT_THAT(Body("What to take:\n\n► A rope\n► A lamp\n"), HasSubstr("A lamp"));
}

TEST(TextImport, DropsTheFootersOfWordPress) {
  for (const char* footer :
       {"This entry was posted in Harbour and tagged boats, crates. Bookmark the permalink.\n\n"
        "← Older post\nNewer post →\n\nOne thought on “A Title”\n\nJo says:\n"
        "June 13, 2025 at 9:00 am\nI saw the crate, and it was full of tea.\nReply\n\n"
        "Leave a Reply\n\nYour email address will not be published. Required fields are marked *\n"
        "\nComment *\n\nName *\n\nEmail *",
        "3 thoughts on “A Title”\n\nJo\nJune 13, 2025 at 9:00 am\n\nI saw the crate, I did.\n\n"
        "Leave a comment Cancel reply",
        "Posted in Harbour | Tagged boats, crates | 3 Comments",
        "Published by Ada Byron\n\nView all posts by Ada Byron",
        "Teilen mit:\n\nKlick, um auf Facebook zu teilen (Wird in neuem Fenster geöffnet)\n\n"
        "Schreibe einen Kommentar Antwort abbrechen",
        "2 Gedanken zu „A Title“\n\nJo sagt:\n13. Juni 2025 um 9:00 Uhr\nIch sah die Kiste.\n\n"
        "Schreibe einen Kommentar",
        "Laisser un commentaire Annuler la réponse\n"
        "Votre adresse e-mail ne sera pas publiée. Les champs obligatoires sont indiqués avec *",
        "Deja una respuesta Cancelar la respuesta\n\n"
        "Tu dirección de correo electrónico no será publicada.",
        "Добавить комментарий Отменить ответ\nВаш адрес email не будет опубликован.",
        "Автор: Ada на 10:00\nЯрлыки: порт\n\nКомментариев нет:\n\nОтправить комментарий",
        "Autor: Ada o 10:00\nEtykiety: port\n\nBrak komentarzy:\n\nPrześlij komentarz",
        "投稿者 Ada 時刻: 午前10:00\nラベル: 港\n\n3 件のコメント:\n\nコメントを投稿",
        "发表评论 取消回复\n您的邮箱地址不会被公开。",
        "작성자: Ada 시간: 오전 10:00\n라벨: 항구\n\n댓글 없음:\n\n댓글 쓰기"}) {
    EXPECT_EQ(Body(absl::StrCat("The quay is dry.\n\n", footer, "\n")), "The quay is dry.")
        << footer;
  }
}

// As its themes and its plugin for sharing print them.
TEST(TextImport, DropsTheFootersOfWordPressInManyLanguages) {
  for (const char* footer :
       {"Teilen mit:\n\nTwitter\nFacebook\n\nGefällt mir:\n\nGefällt mir Wird geladen …\n\n"
        "Ähnliche Beiträge\n\nVeröffentlicht von Ada\n\nZeige alle Beiträge von Ada\n\n"
        "Beitragsnavigation\n\nVorheriger Beitrag X\n\nKommentar verfassen Antwort abbrechen",
        "Veröffentlicht von Ada\n\nAlle Beiträge von Ada anzeigen",
        "Comparte esto:\n\nFacebook\n\nMe gusta esto:\n\nMe gusta Cargando...\n\nRelacionado\n\n"
        "Publicado por Ada\n\nVer todas las entradas de Ada\n\nNavegación de entradas\n\n"
        "Anterior Entrada anterior: X\n\nDeja un comentario Cancelar la respuesta",
        "Partager\u00A0:\n\nFacebook\n\nJ’aime ça :\n\nJ’aime chargement…\n\nSimilaire\n\n"
        "Publié par Ada\n\nVoir tous les articles par Ada\n\nNavigation des articles\n\n"
        "Précédent Article précédent : X\n\nLaisser un commentaire Annuler la réponse.",
        "Compartilhe isso:\n\nFacebook\n\nCurtir isso:\n\nCurtir Carregando...\n\n"
        "Navegação de posts\n\nDeixe um comentário Cancelar resposta",
        "Condividi:\n\nMi piace:\n\nMi piace Caricamento...\n\nCorrelati\n\nNavigazione "
        "articoli\n\n"
        "Articolo precedente: X\n\nLascia un commento Annulla risposta",
        "Dit delen:\n\nVind ik leuk:\n\nLike Laden...\n\nGerelateerd\n\nBerichtnavigatie\n\n"
        "Vorig bericht: X\n\nGeef een reactie Reactie annuleren",
        "Dela detta:\n\nGilla detta:\n\nGilla Laddar in …\n\nRelaterade\n\nPublicerat av Ada\n\n"
        "Visa alla inlägg av Ada\n\nInläggsnavigering\n\nLämna ett svar Avbryt svar",
        "Del dette:\n\nLiker:\n\nRelatert\n\nPublisert av Ada\n\nVis alle innlegg av Ada\n\n"
        "Innleggsnavigasjon\n\nLegg igjen en kommentar Avbryt svar",
        "Del:\n\nSynes godt om:\n\nRelateret\n\nUdgivet af Ada\n\nVis alle indlæg af Ada\n\n"
        "Indlægsnavigation\n\nSkriv et svar Annuller svar",
        "Jaa tämä:\n\nTykkää tästä:\n\nTykkää Lataa...\n\nAiheeseen liittyy\n\n"
        "Artikkelien selaus\n\nEdellinen artikkeli: X\n\nVastaa Peruuta vastaus",
        "Bunu paylaş:\n\nBunu beğen:\n\nBeğen Yükleniyor...\n\nİlgili\n\nYazı gezinmesi\n\n"
        "Önceki yazı: X\n\nBir yanıt yazın Yanıtı iptal et",
        "Udostępnij:\n\nLubię to:\n\nLubię Wczytywanie…\n\nPowiązane\n\nNawigacja wpisu\n\n"
        "Poprzedni wpis: X\n\nDodaj komentarz Anuluj pisanie odpowiedzi",
        "Поделиться ссылкой:\n\nНравится:\n\nПохожее\n\nНавигация по записям\n\n"
        "Предыдущая запись: X\n\nДобавить комментарий Отменить ответ",
        "Sdílejte:\n\nLíbí se mi:\n\nSouvisející\n\nNavigace pro příspěvek\n\n"
        "Předchozí příspěvek: X\n\nNapsat komentář Zrušit odpověď na komentář",
        "共有:\n\nいいね:\n\nいいね 読み込み中…\n\n関連\n\nAda の投稿をすべて表示\n\n"
        "投稿ナビゲーション\n\nコメントを残す コメントをキャンセル",
        "分享到：\n\n赞过：\n\n赞 正在加载……\n\n相关\n\n查看Ada的所有文章\n\n文章导航\n\n发表回复 "
        "取消回复",
        "공유하기:\n\n이것이 좋아요:\n\n관련\n\nAda의 모든 글 보기\n\n글 내비게이션\n\n댓글 남기기 "
        "응답 취소",
        "3 svar på ”A Title”\n\nLämna ett svar",
        "“A Title” üzerine 3 yorum\n\nBir yanıt yazın",
        "3 komentáře u „A Title“\n\nNapsat komentář"}) {
    EXPECT_EQ(Body(absl::StrCat("The quay is dry.\n\n", footer, "\n")), "The quay is dry.")
        << footer;
  }
}

TEST(TextImport, ReadsTheFootersOfBloggerInManyLanguages) {
  for (const char* footer :
       {"Upplagd av Jo Doe kl. 10:00\nSkicka med e-postBlogThis!Dela på X\nEtiketter: sea, tide\n"
        "Inga kommentarer:\nSkicka en kommentar\nNyare inlägg Äldre inlägg Startsida",
        "Lagt inn av Jo Doe kl. 10:00\nSend dette via e-postBlogThis!Del på X\n"
        "Etiketter: sea, tide\nIngen kommentarer:\nLegg inn en kommentar",
        "Indsendt af Jo Doe kl. 10.00\nSend med mailBlogThis!Del på X\nEtiketter: sea, tide\n"
        "Ingen kommentarer:\nSend en kommentar",
        "Lähettänyt Jo Doe klo 10.00\nTunnisteet: sea, tide\nEi kommentteja:\nLähetä kommentti\n"
        "Uudempi teksti Vanhempi teksti Etusivu",
        "Gönderen Jo Doe zaman: 10:00\nBunu E-postayla GönderBlogThis!X'te paylaş\n"
        "Etiketler: sea, tide\nHiç yorum yok:\nYorum Gönder",
        "Vystavil Jo Doe v 10:00\nŠtítky: sea, tide\nŽádné komentáře:\nOkomentovat",
        "发帖者 Jo Doe 时间： 10:00\n标签： sea，tide\n没有评论:\n发表评论",
        "Автор: Jo Doe на 10:00\nЯрлыки: sea, tide\nСледующее Предыдущее Главная страница",
        "Publicado por Jo Doe a la(s) 10:00\nEtiquetas: sea, tide\n3 comentarios:"}) {
    const auto article = ReadPage(
        absl::StrCat("June 12, 2025\nLow Water\n\nThe quay is dry.\n\n", footer, "\n"), {});
    ASSERT_TRUE(article.ok()) << footer << article.status();
    EXPECT_EQ(article->body(), "The quay is dry.") << footer;
    EXPECT_EQ(article->authors(0).display_name(), "Jo Doe") << footer;
    EXPECT_THAT(article->tags(), ElementsAre("sea", "tide")) << footer;
  }
}

TEST(TextImport, ReadsCategoriesAndTagsBelowTheText) {
  for (const char* footer :
       {"Categories: Sea, Rope\nTags: lamp, Rope\n\n3 thoughts on “A title”\n\nJo says:\n"
        "June 13, 2025 at 8:00 am\n\nNice one.\n\nLeave a Reply",
        "Categories: Sea, Rope\n\nTags: lamp", "Kategorien: Sea, Rope\nSchlagwörter: lamp"}) {
    const auto article = ReadPage(absl::StrCat(kHead, "It is dry.\n\n", footer, "\n"));
    ASSERT_TRUE(article.ok()) << article.status();
    EXPECT_EQ(article->body(), "It is dry.") << footer;
    EXPECT_THAT(article->tags(), ElementsAre("Sea", "Rope", "lamp")) << footer;
  }
  for (const char* text : {"Tags: lamp, rope\n\nThen the water rose.", "Name: Ada\nCategory: Sea",
                           "Tags: he never liked them."}) {
    EXPECT_THAT(Body(absl::StrCat("It is dry.\n\n", text, "\n")),
                HasSubstr(absl::string_view(text).substr(0, 9)))
        << text;
  }
}

// What is cut is gone, so lines that texts have too count only with others of a footer.
TEST(TextImport, KeepsTheEndOfATextThatLooksLikeAFooter) {
  for (const std::string end :
       {"File →\nEdit →\nPaste\n\nThen\nSave\nClose",
        "Low Water\nPublished by Penguin\nHigh Water\nPublished by Faber\nThe Tide",
        "Home\nShare\n\nthe gulls\nthe sea\nthe rope", "Home\n\nthe sea\nthe rope",
        "This site uses Akismet to reduce spam, and so should you, I argued.",
        "Dieser Beitrag wurde unter Mühen geschrieben, und er endet hier.",
        "This entry was posted in haste, and I regret it.",
        "Klick, um auf die Karte zu kommen\n\nKarte\nListe",
        "Pingback: a short history\n\nPart one", "Loading...\n\nthe screen said",
        "View all posts by him, they said.",
        "Your email address will not be published. That was the lie they told us all in that "
        "year."}) {
    const std::string last = end.substr(end.rfind('\n') + 1);
    EXPECT_THAT(Body(absl::StrCat("It was dry.\n\n", end, "\n")), HasSubstr(last)) << end;
    const std::string body = Body(absl::StrCat("It was dry.\n\n", end, "\n\nPost a Comment\n"));
    EXPECT_THAT(body, HasSubstr(last)) << end;
    EXPECT_THAT(body, Not(HasSubstr("Post a Comment"))) << end;
  }
  for (const absl::string_view end :
       {"Home", "Tagged with a red ribbon\n\nPosted in the hallway"}) {
    const std::string text = absl::StrCat("It was dry.\n\n", end);
    EXPECT_EQ(Body(text), text);
  }
}

// The last line of verse may be one word.
TEST(TextImport, KeepsALineThatGoesOnAboveAFooter) {
  EXPECT_THAT(Body("It was dry.\n\nThe sea went out\nand we went\nhome\n\nPost a Comment\n"),
              AllOf(HasSubstr("home"), Not(HasSubstr("Post a Comment"))));
}

TEST(TextImport, DropsALineThatTextsHaveTooAboveTheRestOfAFooter) {
  for (const char* line :
       {"← Older one\nNewer one →", "Published by Ada Byron", "Tagged boats, crates",
        "Posted in Harbour", "Pingback: Low Water | Harbour", "Loading...", "Home",
        "This entry was posted in Harbour", "Klick, um auf Facebook zu teilen",
        "Your email address will not be published.", "Share this:\nTwitter\nFacebook"}) {
    EXPECT_EQ(Body(absl::StrCat("It was dry.\n\n", line, "\n\nPost a Comment\n")), "It was dry.")
        << line;
  }
  for (const char* line :
       {"View all posts by Ada Byron", "Click to share on Facebook (Opens in new window)",
        "Dieser Beitrag wurde unter Hafen veröffentlicht. Setze ein Lesezeichen auf den Permalink.",
        "Your email address will not be published. Required fields are marked *"}) {
    EXPECT_EQ(Body(absl::StrCat("It was dry.\n\n", line, "\n")), "It was dry.") << line;
  }
}

TEST(TextImport, KeepsWhatSomebodySaysInATextAndASentenceAfterLabels) {
  EXPECT_THAT(Body("As the proverb says:\n\nThe tide waits for nobody.\n\nPost a Comment\n"),
              AllOf(HasSubstr("proverb says:"), HasSubstr("The tide waits for nobody.")));
  EXPECT_THAT(Body("One.\n\nLabels: he never liked them.\n"),
              HasSubstr("Labels: he never liked them."));
}

TEST(TextImport, SaysWhereItCutsTheFooter) {
  const auto parsed = Parse(absl::StrCat(kHead, "One.\n\nNo comments:\nPost a Comment\n"),
                            Format::kText, {"A title", ""});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->notes,
              ElementsAre("left out what stands below the text, from line 5 on: \"No comments:\""));
}

TEST(TextImport, PublishesNoEmailAddressOfAnAuthor) {
  EXPECT_THAT(Authors("By Ada Byron <ada@mail.example> and bo@mail.example"),
              ElementsAre("Ada Byron"));
  EXPECT_THAT(Authors("By Ada Byron (mailto:ada@mail.example), Bo Li"),
              ElementsAre("Ada Byron", "Bo Li"));
  EXPECT_THAT(Authors("By @ada"), ElementsAre("@ada"));
  EXPECT_THAT(ProblemOfPage("By ada@mail.example\nThursday, June 12, 2025\nText.\n"),
              HasSubstr("there is no author"));
}

TEST(TextImport, ReadsControlCharactersAsWhatTheyWereMeantToBe) {
  EXPECT_EQ(Body("\u0093Don\u0092t\u0085\u0094 \u0081"), "“Don’t…”");
  EXPECT_EQ(Body("One\vtwo\rthree\r\r\nfour."), Body("One\ntwo\nthree\nfour."));
}

// Each of these gaps was a call within a call.
TEST(TextImport, BearsAnyNumberOfBlankLines) {
  const std::string gap(50'000, '\n');
  EXPECT_EQ(Body(absl::StrReplaceAll(absl::StrCat(kProse, kProse, kProse), {{"\n", gap}})),
            absl::StrCat(TwiceProse(), " ", ProseParagraph()));
}

TEST(TextImport, ReadsTheSample) {
  const auto article = ReadPage(Sample(), {"What the Tide Table Leaves Out", ""});
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->name(), "articles/what-the-tide-table-leaves-out");
  ASSERT_EQ(article->authors_size(), 1);
  EXPECT_EQ(article->authors(0).display_name(), "Ines Halvorsen");
  EXPECT_EQ(TimeUtil::ToString(article->publish_time()), "2025-03-15T00:00:00Z");
  EXPECT_EQ(article->sections_size(), 3);
  const std::vector<std::string> blocks = SampleBlocks();
  EXPECT_THAT(blocks, SizeIs(14 + 2));
  EXPECT_THAT(blocks,
              IsSupersetOf({"***",
                            "I used to skip that last part. Give or take the wind sounded to me "
                            "like the small print on a ticket. Then I met Osvald.",
                            "One morning in my second winter I asked him what he wrote. “The "
                            "difference,” he said."}));
  EXPECT_THAT(blocks.back(), HasSubstr("introduced to somebody."));
}

// The text survives wrapping at any width. So do nearly all ends of paragraphs; an end after a full
// last line cannot be recognised. No paragraph is cut in two.
TEST(TextImport, FindsTheParagraphsAtAnyWidth) {
  const std::vector<std::string> blocks = SampleBlocks();
  size_t missed = 0;
  size_t expected = 0;
  for (size_t width = 60; width <= 100; ++width) {
    for (const size_t narrower : {0u, 4u, 12u, 23u}) {
      std::vector<std::string> page;
      for (const std::string& block : blocks) {
        page.push_back(Wrapped(block, width, width - narrower));
      }
      const std::vector<std::string> found = Rendered(Body(absl::StrJoin(page, "\n")));
      EXPECT_EQ(absl::StrJoin(found, " "), absl::StrJoin(blocks, " ")) << width << "-" << narrower;
      EXPECT_LE(found.size(), blocks.size()) << width << "-" << narrower;
      missed += blocks.size() - found.size();
      expected += blocks.size();
    }
  }
  EXPECT_LT(missed, expected / 50) << missed << " of " << expected;
}

TEST(TextImport, AcceptsAByteOrderMarkAndCarriageReturns) {
  const std::string page = absl::StrCat("\uFEFF", absl::StrReplaceAll(Sample(), {{"\n", "\r\n"}}));
  const auto article = ReadPage(page);
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->body(), ReadPage(Sample())->body());
}

TEST(TextImport, RefusesFilesThatAreNotText) {
  EXPECT_THAT(ProblemOfPage(""), HasSubstr("empty"));
  EXPECT_THAT(ProblemOfPage(" \r\n\n"), HasSubstr("empty"));
  EXPECT_THAT(ProblemOfPage(absl::StrCat(kHead, absl::string_view("a\0b", 3))), HasSubstr("NUL"));
  EXPECT_THAT(ProblemOfPage(absl::StrCat(kHead, "caf\xE9")), HasSubstr("UTF-8"));
}

// Comparing all lines with each other would take minutes, and ctest would abort the test.
TEST(TextImport, IsFastForAnyLines) {
  std::string page(kHead);
  for (size_t length = 1; length <= 600; ++length) {
    absl::StrAppend(&page, std::string(length, 'x'), "\n");
  }
  while (page.size() < (1 << 18)) absl::StrAppend(&page, "x y\nx\n");
  EXPECT_THAT(Body(page), HasSubstr("x y"));
}

TEST(TextImport, LeavesOutDrafts) {
  const std::string text = "Some words are here.\n";
  const std::string head = "A page\nBy Ada Byron\nJune 12, 2025\n";
  for (const std::string& page :
       {absl::StrCat(head, "Status: draft\n\n", text), absl::StrCat(head, "\nDraft: yes\n", text),
        absl::StrCat(head, "\nTags: a, b\nPassword: x\n\n", text),
        absl::StrCat("A page\nStatus: private\nBy Ada Byron\nJune 12, 2025\n", text),
        absl::StrCat(".. status: draft\n", head, text)}) {
    const auto parsed = Parse(page, Format::kText, {});
    EXPECT_EQ(ReasonOfRefusal(parsed.status()), kReasonDraft) << page << parsed.status();
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(" marks a draft")) << page;
  }
  for (const char* rest : {"\nSome words.\n\nDraft: yes\n", "\nStatus: done, or so.\n"}) {
    EXPECT_EQ(ProblemOfPage(absl::StrCat(head, rest)), "none") << rest;
  }
}

// Comparing all lines of each quote would take minutes, too.
TEST(TextImport, IsFastForAnyNumberOfQuotes) {
  std::string page(kHead);
  while (page.size() < (3 << 18)) {
    for (size_t length = 1; length <= 200; ++length) {
      absl::StrAppend(&page, "> ", std::string(length, 'x'), " y\n");
    }
    absl::StrAppend(&page, "\n");
  }
  EXPECT_THAT(Body(page), HasSubstr("> x y"));
}

TEST(TextImport, RefusesFilesThatAreTooLarge) {
  EXPECT_THAT(ProblemOfPage(absl::StrCat(kHead, std::string((1 << 20) + 1, 'x'))),
              HasSubstr("body has 1048577 bytes"));
  EXPECT_THAT(ProblemOfPage(absl::StrCat(kHead, std::string(3 << 20, 'x'))),
              HasSubstr("the file has"));
}

}  // namespace
}  // namespace content::transfer
