#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/util/time_util.h"
#include "import/importer.h"

namespace content::importer {
namespace {

using ::google::protobuf::util::TimeUtil;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

absl::StatusOr<v1::Article> Read(absl::string_view file, const Overrides& overrides = {}) {
  absl::StatusOr<ParsedArticle> parsed = Parse(file, Format::kMarkdown, overrides);
  if (!parsed.ok()) return parsed.status();
  return std::move(parsed->article);
}

// The article of a file with a title, some more lines of front matter and a body.
v1::Article With(absl::string_view front_matter, absl::string_view body = "Text.") {
  const auto article = Read(absl::StrCat("---\ntitle: A title\n", front_matter, "\n---\n", body));
  EXPECT_TRUE(article.ok()) << article.status() << " in " << front_matter;
  return article.ok() ? *article : v1::Article();
}

std::string Problem(absl::string_view file, const Overrides& overrides = {}) {
  const absl::StatusOr<v1::Article> article = Read(file, overrides);
  if (article.ok()) return "none";
  EXPECT_EQ(article.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(article.status().message());
}

std::string ProblemWith(absl::string_view front_matter) {
  return Problem(absl::StrCat("---\ntitle: A title\n", front_matter, "\n---\nText.\n"));
}

std::string Time(absl::string_view date) {
  return TimeUtil::ToString(With(absl::StrCat("date: ", date)).publish_time());
}

std::vector<std::string> Tags(absl::string_view front_matter) {
  const v1::Article article = With(front_matter);
  return {article.tags().begin(), article.tags().end()};
}

std::string Sample(absl::string_view name) {
  std::ifstream file(absl::StrCat(CONTENT_SOURCE_DIR "/deploy/samples/", name));
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

TEST(FormatOf, DependsOnTheExtension) {
  EXPECT_EQ(FormatOf("notes.md"), Format::kMarkdown);
  EXPECT_EQ(FormatOf("a/b.c/NOTES.MD"), Format::kMarkdown);
  EXPECT_EQ(FormatOf("notes.markdown"), Format::kMarkdown);
  EXPECT_EQ(FormatOf("notes.txt"), Format::kText);
  EXPECT_EQ(FormatOf("notes"), Format::kText);
  EXPECT_EQ(FormatOf("notes.md.txt"), Format::kText);
}

TEST(MarkdownImport, ReadsEveryField) {
  const v1::Article article = With(
      "author: Ada Byron\n"
      "date: 2025-06-12\n"
      "tags: [engines, poetry]\n"
      "summary: What it is about.\n"
      "language: en-GB\n"
      "slug: an-id\n");
  EXPECT_EQ(article.title(), "A title");
  EXPECT_EQ(article.name(), "articles/an-id");
  ASSERT_EQ(article.authors_size(), 1);
  EXPECT_EQ(article.authors(0).display_name(), "Ada Byron");
  EXPECT_EQ(TimeUtil::ToString(article.publish_time()), "2025-06-12T00:00:00Z");
  EXPECT_THAT(article.tags(), ElementsAre("engines", "poetry"));
  EXPECT_EQ(article.summary(), "What it is about.");
  EXPECT_EQ(article.language_code(), "en-GB");
  EXPECT_EQ(article.body(), "Text.");
  EXPECT_EQ(article.word_count(), 1);
  EXPECT_EQ(article.sections_size(), 1);
}

TEST(MarkdownImport, AcceptsAlternativeNamesOfFields) {
  const v1::Article article = With("id: an-id\ndescription: About.\nlang: pt\n");
  EXPECT_EQ(article.name(), "articles/an-id");
  EXPECT_EQ(article.summary(), "About.");
  EXPECT_EQ(article.language_code(), "pt");
}

TEST(MarkdownImport, LeavesMissingFieldsEmpty) {
  const v1::Article article = With("author:\ndate: ~\ntags:\nsummary: ''\n");
  EXPECT_THAT(article.authors(), IsEmpty());
  EXPECT_THAT(article.tags(), IsEmpty());
  EXPECT_FALSE(article.has_publish_time());
  EXPECT_EQ(article.summary(), "");
  EXPECT_EQ(article.name(), "articles/a-title");
}

TEST(MarkdownImport, NamesTheKeysThatItIgnores) {
  const auto ignored = [](absl::string_view front_matter) {
    const auto parsed = Parse(absl::StrCat("---\ntitle: A title\n", front_matter, "\n---\nText."),
                              Format::kMarkdown, {});
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    return parsed.ok() ? parsed->ignored_keys : std::vector<std::string>();
  };
  EXPECT_THAT(ignored("layout: post\nsubtitle: More\n? [odd, key]\n: value\n"),
              ElementsAre("layout", "subtitle", "[odd, key]"));
  EXPECT_THAT(ignored("author: {name: Ada, twitter: ada}\n"), ElementsAre("authors[0].twitter"));
  // The second name of a field, a key in another case, a key that is there twice, and a value that
  // is not understood.
  EXPECT_THAT(ignored("summary: One\ndescription: Two"), ElementsAre("description"));
  EXPECT_THAT(ignored("slug: one\nid: two"), ElementsAre("id"));
  EXPECT_THAT(ignored("Tags: [a]\nDraft: true"), ElementsAre("Tags", "Draft"));
  EXPECT_THAT(ignored("title: Another"), ElementsAre("title"));
  EXPECT_THAT(ignored("published: 2013-05-06\ndraft: 1"), ElementsAre("published", "draft"));
  EXPECT_THAT(ignored("\"two\\nlines\": 1"), ElementsAre("two lines"));
  EXPECT_THAT(ignored("layout:"), ElementsAre("layout"));
  EXPECT_THAT(ignored("tags:\nsummary: ~\nlang: en\nauthor: Ada\ndate: 2025-06-12\ndraft: false"),
              IsEmpty());
}

TEST(MarkdownImport, NamesEveryFaultOfAFile) {
  EXPECT_EQ(Problem("---\ntitle: [a]\ndate: soon\nslug: My_Post\ntags: [a, a]\nlang: '?'\n"
                    "author: {name: [x], url: ftp}\ndraft: true\n---\n\n"),
            "line 2: title must be text\n"
            "line 3: \"soon\" is not a date such as 2025-06-12, 2025-06-12T08:30:00Z or 2025-06-12 "
            "08:30:00 +0200\n"
            "line 4: slug must be 1 to 63 lower-case letters, digits and inner hyphens\n"
            "line 5: tags[1] is a duplicate\n"
            "line 6: lang is not a BCP 47 language tag such as en or pt-BR\n"
            "line 7: authors[0].name must be text\n"
            "line 7: author[0].url is not an absolute http or https URI\n"
            "line 8: the file is a draft\n"
            "body is required");
  EXPECT_EQ(Problem("---\ndate: soon\n---\nText.", {"", "Not an id"}),
            "line 2: \"soon\" is not a date such as 2025-06-12, 2025-06-12T08:30:00Z or 2025-06-12 "
            "08:30:00 +0200\n"
            "there is no title; add one to the front matter or give it with --title\n"
            "--id is not articles/{id} with an id of 1 to 63 lower-case letters, digits and inner "
            "hyphens");
  EXPECT_EQ(Problem("---\ntitle: 漢字\n---\n"),
            "body is required\n"
            "no id can be derived from the title; give one with --id, or as slug in front matter");
  std::string tags;
  for (int i = 0; i < 20; ++i) absl::StrAppend(&tags, "- a\n");
  EXPECT_THAT(ProblemWith(absl::StrCat("tags:\n", tags)),
              AllOf(StartsWith("line 4: tags[1] is a duplicate\n"),
                    EndsWith("\nand 3 more faults of these kinds")));
  EXPECT_THAT(Problem("Text.", {std::string(301, 'x'), ""}), StartsWith("--title has 301 char"));
}

TEST(MarkdownImport, RefusesQuotesThatAreNotClosed) {
  EXPECT_EQ(Problem("---\ntitle: \"Bad yaml\n---\nText."), "line 2: a quoted text is not closed");
  EXPECT_EQ(ProblemWith("summary: 'It's\nlang: en"),
            "line 3: the front matter is not YAML: end of map not found (is a quote not closed, or "
            "does text follow it?)");
  EXPECT_EQ(ProblemWith("lang: en\nsummary: 'One\ntags: [a]"),
            "line 4: a quoted text is not closed");
  EXPECT_EQ(ProblemWith("author:\n  name: \"Ada\n  id: ada"),
            "line 4: a quoted text is not closed");
  EXPECT_EQ(ProblemWith("tags:\n- one\n- \"two\n- three"), "line 5: a quoted text is not closed");
  EXPECT_THAT(ProblemWith("tags: [\"a, b]"), HasSubstr("is a quote not closed"));
  EXPECT_THAT(ProblemWith("summary: \"One\" two"), HasSubstr("does text follow it?"));
  EXPECT_EQ(With("summary: \"One\n  two\"").summary(), "One two");
  EXPECT_EQ(With("summary: |\n  \"One\n").summary(), "\"One");
}

TEST(MarkdownImport, ReadsAuthorsInEveryShape) {
  for (const char* author :
       {"author: Ada Byron", "authors: Ada Byron", "author: [Ada Byron]", "authors:\n- Ada Byron",
        "author: {name: Ada Byron}", "authors:\n  - name: Ada Byron\n"}) {
    const v1::Article article = With(author);
    ASSERT_EQ(article.authors_size(), 1) << author;
    EXPECT_EQ(article.authors(0).display_name(), "Ada Byron") << author;
  }
  const v1::Article article = With(
      "authors:\n  - {name: Ada Byron, id: ada, url: 'https://example.org/ada'}\n  - Jo Doe\n");
  ASSERT_EQ(article.authors_size(), 2);
  EXPECT_EQ(article.authors(0).id(), "ada");
  EXPECT_EQ(article.authors(0).uri(), "https://example.org/ada");
  EXPECT_EQ(article.authors(1).display_name(), "Jo Doe");
}

TEST(MarkdownImport, ReadsDatesAsGeneratorsWriteThem) {
  EXPECT_EQ(Time("2025-06-12"), "2025-06-12T00:00:00Z");
  EXPECT_EQ(Time("'2025-06-12'"), "2025-06-12T00:00:00Z");
  EXPECT_EQ(Time("2025-06-12T08:30:00Z"), "2025-06-12T08:30:00Z");
  EXPECT_EQ(Time("2025-06-12T08:30:00.25+02:00"), "2025-06-12T06:30:00.250Z");
  EXPECT_EQ(Time("2025-06-12 08:30:00"), "2025-06-12T08:30:00Z");
  EXPECT_EQ(Time("2025-06-12 08:30:00 -0300"), "2025-06-12T11:30:00Z");
  EXPECT_EQ(Time("2025-06-12 08:30:00 +02:00"), "2025-06-12T06:30:00Z");
  EXPECT_EQ(Time("1965-06-12T08:30:00.5Z"), "1965-06-12T08:30:00.500Z");
}

TEST(MarkdownImport, ReadsDatesWithoutSecondsOffsetOrBoth) {
  EXPECT_EQ(Time("2025-06-12T08:30:15"), "2025-06-12T08:30:15Z");
  EXPECT_EQ(Time("2025-06-12T08:30"), "2025-06-12T08:30:00Z");
  EXPECT_EQ(Time("2025-06-12T08:30Z"), "2025-06-12T08:30:00Z");
  EXPECT_EQ(Time("2025-06-12T08:30+02:00"), "2025-06-12T06:30:00Z");
  EXPECT_EQ(Time("2025-06-12 08:30"), "2025-06-12T08:30:00Z");
  EXPECT_EQ(Time("2025-06-12 08:30 +0200"), "2025-06-12T06:30:00Z");
}

TEST(MarkdownImport, ReadsDatesMarkedAsUtc) {
  EXPECT_EQ(Time("2025-06-12 08:30:15 UTC"), "2025-06-12T08:30:15Z");
  EXPECT_EQ(Time("2025-06-12 08:30 UTC"), "2025-06-12T08:30:00Z");
  EXPECT_EQ(Time("2025-06-12 08:30:15 +0000 UTC"), "2025-06-12T08:30:15Z");
}

TEST(MarkdownImport, NamesTheLineOfABadDate) {
  for (const char* date : {"yesterday", "12.06.2025", "2025-02-30", "2025-06-12T25:00:00Z",
                           "2025-06-12T10", "2025-06-12 10:00 CET", "UTC"}) {
    EXPECT_THAT(ProblemWith(absl::StrCat("tags: x\ndate: ", date)),
                StartsWith(absl::StrCat("line 4: \"", date, "\" is not a date")));
  }
  EXPECT_THAT(ProblemWith("date: infinite-future"), StartsWith("line 3: date is not between"));
}

TEST(MarkdownImport, ReadsTagsFromAListOrAString) {
  EXPECT_THAT(Tags("tags: [two words, one]"), ElementsAre("two words", "one"));
  EXPECT_THAT(Tags("tags:\n  - 2025\n  - b"), ElementsAre("2025", "b"));
  EXPECT_THAT(Tags("tags: two words, one,"), ElementsAre("two words", "one"));
  EXPECT_THAT(Tags("tags: three short  words"), ElementsAre("three", "short", "words"));
}

TEST(MarkdownImport, FoldsALongSummary) {
  EXPECT_EQ(With("summary: >\n  In two\n  lines.\n").summary(), "In two lines.");
}

TEST(MarkdownImport, NamesTheLineOfAValueOfTheWrongKind) {
  EXPECT_EQ(Problem("---\nlayout: post\ntitle: [a, b]\n---\nText."), "line 3: title must be text");
  EXPECT_EQ(ProblemWith("summary:\n  a: b"), "line 4: summary must be text");
  EXPECT_EQ(ProblemWith("tags: {a: b}"), "line 3: tags must be text or a list");
  EXPECT_EQ(ProblemWith("lang: [en]\ndescription: [a]"),
            "line 3: lang must be text\nline 4: description must be text");
  EXPECT_EQ(ProblemWith("tags:\n- a\n- [b]"), "line 5: a tag must be text");
  EXPECT_THAT(ProblemWith("author: [[x]]"), StartsWith("line 3: an author must be a name"));
  EXPECT_EQ(ProblemWith("author:\n  name: [x]"), "line 4: authors[0].name must be text");
  EXPECT_THAT(Problem("---\njust words\n---\nText."), StartsWith("line 2: the front matter must"));
}

TEST(MarkdownImport, NamesTheLineOfMalformedYaml) {
  EXPECT_THAT(ProblemWith("tags: [a, b"), HasSubstr("is not YAML"));
  EXPECT_THAT(ProblemWith("a: b: c"), StartsWith("line 3: the front matter is not YAML"));
  EXPECT_THAT(ProblemWith("summary: x\n  \tauthor: *nobody"), StartsWith("line "));
  EXPECT_THAT(ProblemWith("author: *nobody"), StartsWith("line 3: "));
  EXPECT_THAT(ProblemWith("author: {}"), StartsWith("line 3: author[0].name is required"));
}

TEST(MarkdownImport, SurvivesDeeplyNestedYaml) {
  EXPECT_THAT(ProblemWith(absl::StrCat("x: ", std::string(100'000, '['))), StartsWith("line "));
}

TEST(MarkdownImport, AsksForTheTitle) {
  EXPECT_THAT(Problem("---\nauthor: Ada\n---\nText."), HasSubstr("--title"));
  EXPECT_THAT(Problem("---\ntitle:\n---\nText."), HasSubstr("--title"));
  EXPECT_THAT(Problem("# A heading\n\nText."), HasSubstr("--title"));
}

TEST(MarkdownImport, PrefersOverridesToTheFrontMatter) {
  const auto article =
      Read("---\ntitle: A title\nslug: an-id\n---\nText.", {"Another title", "another-id"});
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->title(), "Another title");
  EXPECT_EQ(article->name(), "articles/another-id");
}

TEST(MarkdownImport, ReadsAFileWithoutFrontMatterAsTheBody) {
  const auto article = Read("# A heading\n\n---\n\nText.\n", {"A title", ""});
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->body(), "# A heading\n\n---\n\nText.");
}

TEST(MarkdownImport, AllowsEmptyFrontMatter) {
  EXPECT_EQ(Read("---\n---\nText.", {"A title", ""})->body(), "Text.");
  EXPECT_EQ(Read("---  \n# a comment\n...\nText.", {"A title", ""})->body(), "Text.");
}

TEST(MarkdownImport, RefusesFrontMatterThatIsNotClosed) {
  EXPECT_THAT(Problem("---\ntitle: A title\n\nText.\n"), StartsWith("line 1: "));
  EXPECT_THAT(Problem("---"), StartsWith("line 1: "));
}

TEST(MarkdownImport, RefusesFrontMatterInOtherLanguages) {
  EXPECT_EQ(Problem("+++\ntitle = \"A title\"\n+++\nText."),
            "line 1: the front matter is TOML; only YAML (between lines of ---) is supported");
  EXPECT_EQ(Problem("\n\n+++  \ntitle = \"A title\"\n+++\nText."),
            "line 3: the front matter is TOML; only YAML (between lines of ---) is supported");
  for (const char* json :
       {"{\"title\": \"A title\"}\n\nText.", "{\n  \"title\": \"A title\"\n}\nText."}) {
    EXPECT_EQ(Problem(json, {"A title", ""}),
              "line 1: the front matter is JSON; only YAML (between lines of ---) is supported");
  }
}

TEST(MarkdownImport, ReadsBracesAndPlusesInTheTextAsText) {
  for (const char* body :
       {"{% raw %}\n\nText.", "{{< note >}}", "{", "++++", "+++ more", "Text.\n+++"}) {
    const auto article = Read(body, {"A title", ""});
    ASSERT_TRUE(article.ok()) << article.status();
    EXPECT_EQ(article->body(), body);
  }
}

TEST(MarkdownImport, FindsFrontMatterAfterBlankLines) {
  const auto article = Read("\n \n---\ntitle: A title\n---\nText.");
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->title(), "A title");
  EXPECT_EQ(article->body(), "Text.");
  EXPECT_EQ(Problem("\n\n---\ntitle: [a, b]\n---\nText."), "line 4: title must be text");
  EXPECT_THAT(Problem("\n\n---\ntitle: A title\n"), StartsWith("line 3: "));
}

TEST(MarkdownImport, KeepsTheBodyAsItIs) {
  const std::string body =
      "    code\n\n*a*  \n__b__ “c” . . . &amp;\n\n\n* * *\n\n---\ntitle: x\n---";
  EXPECT_EQ(With("", absl::StrCat("\n \n", body, "\n\n \n")).body(), body);
}

TEST(MarkdownImport, AcceptsAByteOrderMarkAndCarriageReturns) {
  const auto article = Read("\uFEFF---\r\ntitle: A title\r\n---\r\n\r\nOne\r\ntwo.\r\n");
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->title(), "A title");
  EXPECT_EQ(article->body(), "One\ntwo.");
}

TEST(MarkdownImport, RefusesArticlesThatBreakTheRules) {
  EXPECT_THAT(ProblemWith("lang: English, mostly"), StartsWith("line 3: lang is not a BCP 47"));
  EXPECT_THAT(ProblemWith("tags: [a, a]"), StartsWith("line 3: tags[1] is a duplicate"));
  EXPECT_THAT(ProblemWith("summary: \"\\x07\""), StartsWith("line 3: summary has a control"));
  EXPECT_THAT(Problem("---\ntitle: A title\n---\n\n"), StartsWith("body is required"));
  EXPECT_THAT(Problem("---\ntitle: 漢字\n---\nText."),
              HasSubstr("no id can be derived from the title; give one with --id"));
}

TEST(MarkdownImport, NamesTheKeyAndLineOfABadId) {
  constexpr absl::string_view kRule =
      "must be 1 to 63 lower-case letters, digits and inner hyphens";
  for (const char* id : {"/2025/x/", "My_Post", "-a"}) {
    EXPECT_EQ(ProblemWith(absl::StrCat("slug: ", id)), absl::StrCat("line 3: slug ", kRule));
    EXPECT_EQ(ProblemWith(absl::StrCat("lang: en\nid: ", id)), absl::StrCat("line 4: id ", kRule));
  }
}

TEST(MarkdownImport, PrefersTheSlugToTheId) {
  EXPECT_EQ(With("id: Post_7\nslug: own").name(), "articles/own");
  EXPECT_EQ(With("id: own\nslug:").name(), "articles/own");
  EXPECT_EQ(With("id: own\nslug: ''").name(), "articles/own");
}

TEST(MarkdownImport, RefusesDrafts) {
  EXPECT_EQ(ProblemWith("draft: true"), "line 3: the file is a draft");
  EXPECT_EQ(ProblemWith("published: false"), "line 3: the file is marked as not published");
  EXPECT_EQ(ProblemWith("draft: false\npublished: true"), "none");
}

TEST(MarkdownImport, ReportsWhetherAnIdWasGiven) {
  const auto id_given = [](absl::string_view file, const Overrides& overrides = {}) {
    return Parse(file, Format::kMarkdown, overrides)->id_given;
  };
  EXPECT_FALSE(id_given("---\ntitle: A title\n---\nText."));
  EXPECT_TRUE(id_given("---\ntitle: A title\nslug: own\n---\nText."));
  EXPECT_TRUE(id_given("---\ntitle: A title\n---\nText.", {"", "own"}));
}

TEST(MarkdownImport, ReadsTheEnglishSample) {
  const auto article = Read(Sample("twenty-lines-and-two-traps.md"));
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->name(), "articles/notes-on-binary-search");
  EXPECT_EQ(article->title(), "Twenty Lines and Two Traps: Notes on Binary Search");
  ASSERT_EQ(article->authors_size(), 2);
  EXPECT_EQ(article->authors(0).id(), "j.okafor");
  EXPECT_EQ(article->authors(1).display_name(), "Wen Lindqvist");
  EXPECT_EQ(TimeUtil::ToString(article->publish_time()), "2025-02-03T08:30:00Z");
  EXPECT_THAT(article->tags(), ElementsAre("programming", "algorithms", "teaching"));
  EXPECT_EQ(article->language_code(), "en");
  ASSERT_EQ(article->sections_size(), 4);
  EXPECT_EQ(article->sections(2).anchor(), "the-second-trap-the-middle");
}

TEST(MarkdownImport, ReadsThePortugueseSample) {
  const auto article = Read(Sample("o-caderno-de-receitas.md"));
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->name(), "articles/o-caderno-de-receitas-da-minha-avo");
  EXPECT_EQ(article->language_code(), "pt-BR");
  EXPECT_EQ(TimeUtil::ToString(article->publish_time()), "2024-11-17T11:15:00Z");
  EXPECT_THAT(article->tags(), ElementsAre("família", "cozinha", "memória"));
  EXPECT_EQ(article->sections_size(), 3);
}

}  // namespace
}  // namespace content::importer
