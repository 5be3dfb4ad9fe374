#include "transfer/markdown/markdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/util/time_util.h"
#include "transfer/parse.h"
#include "transfer/refusal.h"

namespace content::transfer {
namespace {

using ::google::protobuf::util::TimeUtil;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

absl::StatusOr<v1::Article> Read(absl::string_view file, const Overrides& overrides = {},
                                 absl::string_view path = "") {
  absl::StatusOr<ParsedArticle> parsed = Parse(file, Format::kMarkdown, overrides, path);
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

// The article of a file of this name, without front matter if none is given.
v1::Article Named(absl::string_view path, absl::string_view front_matter = "title: A title\n") {
  const auto article = Read(absl::StrCat("---\n", front_matter, "---\nText.\n"), {}, path);
  EXPECT_TRUE(article.ok()) << article.status() << " in " << path;
  return article.ok() ? *article : v1::Article();
}

std::vector<std::string> AuthorsOf(const v1::Article& article) {
  std::vector<std::string> names;
  for (const v1::Author& author : article.authors()) names.push_back(author.display_name());
  return names;
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

TEST(RecognizeFormat, GoesByTheExtension) {
  EXPECT_EQ(RecognizeFormat("notes.md", ""), Format::kMarkdown);
  EXPECT_EQ(RecognizeFormat("a/b.c/NOTES.MD", ""), Format::kMarkdown);
  for (const char* name : {"n.markdown", "n.mdx", "n.mkd", "n.mdown", "n.qmd", "n.Rmd"}) {
    EXPECT_EQ(RecognizeFormat(name, ""), Format::kMarkdown) << name;
  }
  EXPECT_EQ(RecognizeFormat("page.html", ""), Format::kHtml);
  EXPECT_EQ(RecognizeFormat("notes.txt", ""), Format::kText);
  EXPECT_EQ(RecognizeFormat("notes.md.txt", ""), Format::kText);
  EXPECT_EQ(RecognizeFormat("notes", "By Ada\n"), std::nullopt);
  EXPECT_EQ(RecognizeFormat("a.md/notes", ""), std::nullopt);
  EXPECT_EQ(RecognizeFormat("notes.png", ""), std::nullopt);
}

TEST(RecognizeFormat, TakesFilesOfDataForNoArticles) {
  EXPECT_EQ(RecognizeFormat("package.json", "{\"title\": \"A\"}\n"), std::nullopt);
  EXPECT_EQ(RecognizeFormat("_config.YML", "---\ntitle: A\n"), std::nullopt);
}

TEST(RecognizeFormat, TakesWhatBeginsWithFrontMatterForMarkdown) {
  for (const char* head : {"---\ntitle: A\n---\n", "+++\ntitle = 'A'\n+++\n", "{\n \"title\": 1}",
                           "\n\n---\ntitle: A\n"}) {
    EXPECT_EQ(RecognizeFormat("notes", head), Format::kMarkdown) << head;
    EXPECT_EQ(RecognizeFormat("notes.txt", head), Format::kMarkdown) << head;
    EXPECT_EQ(RecognizeFormat("-", head), Format::kMarkdown) << head;
  }
  EXPECT_EQ(RecognizeFormat("-", " <!DOCTYPE html>\n<p>"), Format::kHtml);
  // A draft must not be published as a text.
  EXPECT_EQ(RecognizeFormat("notes.txt", "Title: T\nStatus: draft\n\nText."), Format::kMarkdown);
  EXPECT_EQ(RecognizeFormat("notes.txt", "Title: T\nBy: Ada\n\nText."), Format::kText);
  EXPECT_EQ(RecognizeFormat("notes", "---\n\nA poem: it starts.\n---\n"), std::nullopt);
  EXPECT_EQ(RecognizeFormat("notes.txt", "<!--\n.. status: draft\n-->\nText."), Format::kMarkdown);
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
              ElementsAre("layout", "subtitle", "?"));
  EXPECT_THAT(ignored("author: {name: Ada, twitter: ada}\n"), ElementsAre("authors[0].twitter"));
  // The second name of a field, and a key that is there twice.
  EXPECT_THAT(ignored("summary: One\ndescription: Two"), ElementsAre("description"));
  EXPECT_THAT(ignored("title: Another"), ElementsAre("title"));
  EXPECT_THAT(ignored("\"two\\nlines\": 1"), ElementsAre("two lines"));
  EXPECT_THAT(ignored("layout:"), ElementsAre("layout"));
  EXPECT_THAT(ignored("taxonomies: {series: [a], tags: [b]}"), ElementsAre("taxonomies.series"));
  EXPECT_THAT(ignored("tags:\nsummary: ~\nlang: en\nauthor: Ada\ndate: 2025-06-12\ndraft: false"),
              IsEmpty());
}

TEST(MarkdownImport, ReadsKeysInAnyCaseAndSpelling) {
  const v1::Article article = With("Tags: [a]\nAUTHOR: Ada\nPublish_Date: 2025-06-12\nSlug: own");
  EXPECT_THAT(article.tags(), ElementsAre("a"));
  EXPECT_THAT(AuthorsOf(article), ElementsAre("Ada"));
  EXPECT_EQ(TimeUtil::ToString(article.publish_time()), "2025-06-12T00:00:00Z");
  EXPECT_EQ(article.name(), "articles/own");
}

TEST(MarkdownImport, ReadsDatesByEveryKey) {
  for (const char* key : {"date", "Date", "publishDate", "pubDate", "pubdate", "published_at",
                          "published", "created", "lastmod", "updated"}) {
    EXPECT_EQ(TimeUtil::ToString(With(absl::StrCat(key, ": 2013-05-06")).publish_time()),
              "2013-05-06T00:00:00Z")
        << key;
  }
  EXPECT_EQ(TimeUtil::ToString(With("lastmod: 2014-01-01\ndate: 2013-05-06").publish_time()),
            "2013-05-06T00:00:00Z");
  EXPECT_EQ(TimeUtil::ToString(With("published: true\nlastmod: 2014-01-01").publish_time()),
            "2014-01-01T00:00:00Z");
}

// Hugo does not show it before.
TEST(MarkdownImport, IsPublishedWhenItIsReleased) {
  for (const char* key : {"publishDate", "pubDate", "published"}) {
    const auto time = [key](absl::string_view date) {
      return TimeUtil::ToString(
          With(absl::StrCat("date: 2020-01-01\n", key, ": ", date)).publish_time());
    };
    EXPECT_EQ(time("2999-01-01"), "2999-01-01T00:00:00Z") << key;
    EXPECT_EQ(time("2021-01-01"), "2020-01-01T00:00:00Z") << key;
  }
}

TEST(MarkdownImport, SaysThatADateOfYearOneIsNone) {
  const auto parsed =
      Parse("---\ntitle: T\ndate: 0001-01-01T00:00:00Z\n---\nText.", Format::kMarkdown, {});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_FALSE(parsed->article.has_publish_time());
  EXPECT_THAT(parsed->notes, ElementsAre("a date of year 1 counts as none"));
}

// Eleventy knows when the file was made; who imports a copy of it does not.
TEST(MarkdownImport, TakesNoDateFromTheFilesHistory) {
  for (const char* date : {"Last Modified", "Created", "git Last Modified", "git created"}) {
    const auto parsed =
        Parse(absl::StrCat("---\ntitle: T\ndate: ", date, "\n---\nText."), Format::kMarkdown, {});
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_FALSE(parsed->article.has_publish_time());
    EXPECT_THAT(parsed->notes, ElementsAre(HasSubstr("counts as none")));
  }
}

TEST(MarkdownImport, ReadsAMapOfDates) {
  const auto parsed =
      Parse("---\ntitle: T\ndate:\n  created: 2013-05-06\n  updated: 2014-01-01\n---\nText.",
            Format::kMarkdown, {});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(TimeUtil::ToString(parsed->article.publish_time()), "2013-05-06T00:00:00Z");
  ASSERT_TRUE(parsed->restoration);
  EXPECT_THAT(ProblemWith("date: {created: soon}"), StartsWith("line 3: \"soon\" is not a date"));
}

TEST(MarkdownImport, ReadsWhenTheTextHasChanged) {
  for (const char* key : {"lastmod", "updated", "last_modified_at", "modified"}) {
    const auto parsed = Parse(absl::StrCat("---\ntitle: T\n", key, ": 2014-01-01\n---\nText."),
                              Format::kMarkdown, {});
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    ASSERT_TRUE(parsed->restoration) << key;
    EXPECT_EQ(absl::FormatTime("%F", parsed->restoration->update_time, absl::UTCTimeZone()),
              "2014-01-01");
    EXPECT_FALSE(parsed->restoration->retracted);
    EXPECT_THAT(parsed->ignored_keys, IsEmpty());
  }
  const auto never =
      Parse("---\ntitle: T\ndate: 2014-01-01\nlastmod: never\n---\nText.", Format::kMarkdown, {});
  ASSERT_TRUE(never.ok()) << never.status();
  EXPECT_FALSE(never->restoration);
  EXPECT_THAT(never->ignored_keys, ElementsAre("lastmod"));
}

TEST(MarkdownImport, TakesTheDateFromTheNameOfTheFile) {
  const auto date = [](absl::string_view path, absl::string_view front_matter = "title: T\n") {
    return TimeUtil::ToString(Named(path, front_matter).publish_time());
  };
  EXPECT_EQ(date("/blog/_posts/2014-05-06-turns-2.md"), "2014-05-06T00:00:00Z");
  EXPECT_EQ(date("/blog/2017-2-5-no-zeroes.md"), "2017-02-05T00:00:00Z");
  EXPECT_EQ(date("/blog/2016-10-08_a-post.md"), "2016-10-08T00:00:00Z");
  EXPECT_EQ(date("/blog/2016-10-08-a-post/index.md"), "2016-10-08T00:00:00Z");
  EXPECT_EQ(date("/blog/2016/10/08/a-post.md"), "2016-10-08T00:00:00Z");
  EXPECT_EQ(date("/blog/a.md", "title: T\npath: 2019/10/29/a\n"), "2019-10-29T00:00:00Z");
  EXPECT_EQ(date("/blog/2014-05-06-a.md", "title: T\ndate: 2014-05-07\n"), "2014-05-07T00:00:00Z");
  EXPECT_FALSE(Named("/blog/2014-13-06-a.md").has_publish_time());
  EXPECT_FALSE(Named("/blog/99-05-06-a.md").has_publish_time());
}

TEST(MarkdownImport, TakesTheIdFromTheAddressThenTheFileThenTheTitle) {
  const auto id = [](absl::string_view path, absl::string_view front_matter) {
    return Named(path, absl::StrCat("title: From title\n", front_matter)).name();
  };
  constexpr char kPath[] = "/blog/2014-05-06-from-file.md";
  EXPECT_EQ(id(kPath, "slug: own\npermalink: /2014/link/\n"), "articles/own");
  EXPECT_EQ(id(kPath, "permalink: /2014/05/A_link.html\n"), "articles/a-link");
  EXPECT_EQ(id(kPath, "url: https://blog.example/posts/link/?a#b\n"), "articles/link");
  EXPECT_EQ(id(kPath, "permalink: /:year/:title/\n"), "articles/from-file");
  EXPECT_EQ(id(kPath, "permalink: /%2e%2e/%2e%2e/up.html\n"), "articles/up");
  EXPECT_EQ(id(kPath, "slug: 漢字\n"), "articles/from-file");
  EXPECT_EQ(id(kPath, ""), "articles/from-file");
  EXPECT_EQ(id("/blog/a-bundle/index.md", ""), "articles/a-bundle");
  EXPECT_EQ(id("/blog/漢字.md", ""), "articles/from-title");
  EXPECT_EQ(id("-", ""), "articles/from-title");
  EXPECT_EQ(id("", ""), "articles/from-title");
}

TEST(MarkdownImport, ShowsTheLanguageOfATranslationInItsId) {
  EXPECT_EQ(Named("/blog/notes.fr.md").name(), "articles/notes-fr");
  EXPECT_EQ(Named("/blog/notes.fr.md").language_code(), "fr");
  EXPECT_EQ(Named("/blog/notes.fr.md", "title: T\nslug: own\n").name(), "articles/own-fr");
  EXPECT_EQ(Named("/ja/_posts/2022-12-25-notes.md", "title: T\nlang: ja\n").name(),
            "articles/notes-ja");
  EXPECT_EQ(Named("/zh_tw/notes.md", "title: T\nlang: zh_tw\n").name(), "articles/notes-zh-tw");
  EXPECT_EQ(Named("/blog/notes.md", "title: T\nlang: ja\n").name(), "articles/notes");
  EXPECT_EQ(Named("/blog/node.js.md").name(), "articles/node-js");
  const std::string long_name = absl::StrCat("/blog/", std::string(80, 'a'), ".fr.md");
  EXPECT_EQ(Named(long_name).name(), absl::StrCat("articles/", std::string(60, 'a'), "-fr"));
}

TEST(MarkdownImport, TakesTheLanguageFromTheFolder) {
  for (const char* language :
       {"de", "pt-br", "zh_Hans", "zh-hant-tw", "es-419", "it", "no", "uk"}) {
    const v1::Article article = Named(absl::StrCat("/site/content/", language, "/posts/hello.md"));
    const std::string tag = absl::StrReplaceAll(language, {{"_", "-"}});
    EXPECT_EQ(article.name(), absl::StrCat("articles/hello-", absl::AsciiStrToLower(tag)));
    EXPECT_EQ(article.language_code(), tag);
  }
  EXPECT_EQ(Named("fr/name.md").name(), "articles/name-fr");
  EXPECT_EQ(Named("fr/name.md", "title: T\nslug: own\n").name(), "articles/own-fr");
  EXPECT_EQ(Named("fr/name.md", "title: T\nlang: fr-CA\n").language_code(), "fr-CA");
  EXPECT_EQ(Named("/site/content/a-bundle/fr/index.md").name(), "articles/a-bundle-fr");
  EXPECT_EQ(Named("/site/a-bundle/index.zh-hans.md").name(), "articles/a-bundle-zh-hans");
  // Words, abbreviations, and what is no language.
  for (const char* folder : {"it", "id", "no", "uk", "hr", "vi", "tr", "js", "de-luxe", "notes"}) {
    const v1::Article article = Named(absl::StrCat("/blog/", folder, "/name.md"));
    EXPECT_EQ(article.name(), "articles/name") << folder;
    EXPECT_EQ(article.language_code(), "") << folder;
  }
}

TEST(MarkdownImport, MakesAnIdOfNamesWithoutLetters) {
  const auto id = [](absl::string_view path, absl::string_view front_matter) {
    return Named(path, absl::StrCat("title: 你好世界\n", front_matter)).name();
  };
  EXPECT_EQ(id("/blog/你好世界.md", "date: 2025-06-12\n"), "articles/2025-06-12-8bb1d782");
  EXPECT_EQ(id("/blog/你好世界.md", ""), "articles/article-8bb1d782");
  EXPECT_NE(id("/blog/你好.md", ""), id("/blog/你好世界.md", ""));
  EXPECT_EQ(id("/blog/你好世界.md", "abbrlink: 4a17b156\n"), "articles/4a17b156");
  EXPECT_EQ(id("", ""), "articles/article-8bb1d782");
}

TEST(MarkdownImport, HasAnotherNameForAFileWhoseNameIsTaken) {
  const auto other = [](absl::string_view path) {
    return Parse("---\ntitle: T\n---\nText.", Format::kMarkdown, {}, path)->other_name;
  };
  EXPECT_EQ(other("/blog/2014-05-06-weekly.md"), "articles/2014-05-06-weekly");
  EXPECT_EQ(other("/blog/site/title.md"), "articles/site-title");
  EXPECT_EQ(other("/blog/site/index.md"), "articles/blog-site");
  EXPECT_EQ(
      Parse("---\ntitle: T\nslug: own\n---\nText.", Format::kMarkdown, {}, "/a/b.md")->other_name,
      "");
}

TEST(MarkdownImport, TakesTheTitleFromTheFirstHeadingThenTheFile) {
  EXPECT_EQ(Read("Before.\n\n## A *heading*\n`code`\n\n# Another\n")->title(), "A heading");
  EXPECT_EQ(Read("# A heading {#own .big}\n")->title(), "A heading");
  EXPECT_EQ(Read("# A heading {: #own}\n")->title(), "A heading");
  EXPECT_EQ(Read("# A {brace}\n")->title(), "A {brace}");
  EXPECT_EQ(Read("A heading\n===\n\nText.")->body(), "A heading\n===\n\nText.");
  EXPECT_EQ(Read("---\ntitle: Own\n---\n# Heading")->title(), "Own");
  EXPECT_EQ(Read("Text.", {}, "/blog/2009-06-22-no-yaml_here.md")->title(), "No yaml here");
  EXPECT_THAT(Parse("Text.", Format::kMarkdown, {}, "/blog/a-file.md")->notes,
              ElementsAre("the title is that of the file's name"));
}

TEST(MarkdownImport, ReadsToml) {
  const auto article = Read(
      "+++\ntitle = \"A title\"\ndate = 2014-06-09T01:18:04Z\ntags = [\"go\", \"golang\"]\n"
      "authors = [\"Ada Byron\"]\n\n[taxonomies]\ntags = [\"go\", \"hello\"]\n+++\nText.");
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->title(), "A title");
  EXPECT_EQ(TimeUtil::ToString(article->publish_time()), "2014-06-09T01:18:04Z");
  EXPECT_THAT(article->tags(), ElementsAre("go", "golang", "hello"));
  EXPECT_THAT(AuthorsOf(*article), ElementsAre("Ada Byron"));
  EXPECT_EQ(article->body(), "Text.");
  const auto dates = [](absl::string_view date) {
    return TimeUtil::ToString(
        Read(absl::StrCat("+++\ntitle = 'T'\ndate = ", date, "\n+++\nText."))->publish_time());
  };
  EXPECT_EQ(dates("2018-10-09"), "2018-10-09T00:00:00Z");
  EXPECT_EQ(dates("2018-10-09T07:30:00"), "2018-10-09T07:30:00Z");
  EXPECT_EQ(dates("2018-10-09T07:30:00.25+02:00"), "2018-10-09T05:30:00.250Z");
  EXPECT_EQ(dates("'2013-08-12'"), "2013-08-12T00:00:00Z");
  EXPECT_EQ(Problem("+++\ntitle = 'T'\ndraft = true\n+++\nText."), "line 3: draft is true");
  EXPECT_THAT(Problem("\n+++\ntitle = 'T'\ndate = = 1\n+++\nText."),
              StartsWith("line 4: the front matter is not TOML: "));
  EXPECT_THAT(Problem("+++\ntitle = 'T'\nslug = ['a']\n+++\nText."),
              StartsWith("line 3: slug must be text"));
}

TEST(MarkdownImport, ReadsJson) {
  const auto article = Read(
      "{\n\t\"Title\": \"A } \\\"title\\\" \\ud83d\\ude00\",\n\t\"Pubdate\": \"2009-09-10\",\n"
      "\t\"Tags\": [\"a\", 2],\n\t\"x\": null, \"y\": {\"z\": [true]}\n}\nText.");
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->title(), "A } \"title\" 😀");
  EXPECT_EQ(TimeUtil::ToString(article->publish_time()), "2009-09-10T00:00:00Z");
  EXPECT_THAT(article->tags(), ElementsAre("a", "2"));
  EXPECT_EQ(article->body(), "Text.");
  EXPECT_EQ(Read("---json\n{\"title\": \"T\"}\n---\nText.")->title(), "T");
  EXPECT_EQ(Read(";;;\n\"title\": \"T\"\n;;;\nText.")->title(), "T");
  EXPECT_EQ(Problem("{\n\"title\": \"T\",\n\"date\": x\n}\nText."),
            "line 3: the front matter is not JSON");
  EXPECT_EQ(Problem("{\n\"title\": \"T\"\n\nText."),
            "line 1: the front matter is not closed by a brace");
  EXPECT_THAT(Problem(absl::StrCat("{\"x\": ", std::string(90'000, '['), std::string(90'000, ']'),
                                   "}\nText.")),
              HasSubstr("too many values"));
}

TEST(MarkdownImport, ReadsFrontMatterWithoutItsFirstLine) {
  const auto article = Read("title: Hello\ndate: 2013-12-24 17:49:32\ntags:\n- a\n---\n\nWelcome.");
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->title(), "Hello");
  EXPECT_THAT(article->tags(), ElementsAre("a"));
  EXPECT_EQ(article->body(), "Welcome.");
  // A heading is none.
  EXPECT_EQ(Read("Note: one\n---\n\nText.")->body(), "Note: one\n---\n\nText.");
  EXPECT_EQ(Read("title: one\n\nText.\n\n---\n\nMore.")->body(), "Text.\n\n---\n\nMore.");
}

// What a generator would not publish must not be published because its front matter is not seen.
TEST(MarkdownImport, SeesDraftsInEveryShape) {
  for (const char* file : {
           "---\n\ntitle: T\ndraft: true\n---\nText.",
           "---\n  \n\ntitle: T\n\ndraft: true\n---\nText.",
           "---\n\nBase Header Level: 2\ndraft: true\n---\nText.",
           "---\n\nlang: en\ndraft: true # not yet\n---\nText.",
           "---\n\nfoo: x\n\ndraft: \"true\"\n---\nText.",
           "lang: en\ndraft: true # not yet\n---\nText.",
           "lang: en\ndraft: true # not yet\n\nText.",
           "Title: A\nStatus : draft\n\nText.",
           "Title: A\nPost Status: 'draft'\n\nText.",
           "Status: draft\nTitle: T\nDate: 2020-01-01\n\nText.",
           "Author: Ada\nTitle: T\nStatus: draft\n\nText.",
           "Status:draft\nTitle:T\n\nText.",
           "Base Header Level: 2\nTitle: T\nDraft: yes\n\nText.",
           "Title: T\nStatus: draft\nText.",
           "Status: hidden\n\nText.",
           "categories: a\ntitle: T\npublished: false\n---\nText.",
           "title: T\n\ndraft: true\n---\nText.",
           "title: T\n\nmood: good\ndraft: true\n---\nText.",
           "\"title\": \"T\",\n\"draft\": true\n;;;\nText.",
           "---\ntitle: T\ndraft: false\ndraft: true\n---\nText.",
           "---\ntitle: T\nexpiryDate: 2001-01-01\n---\nText.",
           "{\"title\": \"T\", \"draft\": true}\nText.",
       }) {
    const auto parsed = Parse(file, Format::kMarkdown, {.title = "T"});
    EXPECT_EQ(ReasonOfRefusal(parsed.status()), kReasonDraft) << file << parsed.status();
    EXPECT_THAT(std::string(parsed.status().message()), Not(HasSubstr("line 0"))) << file;
  }
  EXPECT_EQ(Problem("---\nexpiryDate: 2999-01-01\n---\nText.", {.title = "T"}), "none");
}

TEST(MarkdownImport, RefusesWhatMayBeADraft) {
  for (const char* file : {
           "---\n\ntitle: T\ndraft: true\n\nText.",
           "---\n\nSome words\ndraft: true\n---\nText.",
           "---\n\n- a\n\ntitle: x\n\ndraft: true\n---\nText.",
           "***\ndraft: \"true\" # not yet\n***\nText.",
           "title = \"T\"\ndraft = true\n+++\nText.",
           "# T\nstatus: draft\n\nText.",
           "# T\n\nTags: a, b\nStatus: Draft\n\nText.",
           "Title: T\n\nDraft: true\n\nText.",
           "***\ntitle: T\npublished: false\n***\nText.",
           "<!--\n.. title: T\n.. status: draft\n-->\n\nText.",
           ".. title: T\n.. status: private\n\nText.",
           "<!--\ndraft: true\n-->\nText.",
           "<!-- draft: true -->\n---\ntitle: T\n---\nText.",
           "# T\nstatus: [draft]\n\nText.",
       }) {
    const auto parsed = Parse(file, Format::kMarkdown, {.title = "T"});
    EXPECT_EQ(ReasonOfRefusal(parsed.status()), "front matter") << file << parsed.status();
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("marks a draft")) << file;
  }
  for (const char* text :
       {"# Drafts\n```\ndraft: true\n```", "Hugo has keys.\n\ndraft: true", "Status: done, or so.",
        "A draft: it is true.", "---\n\nNote: one\n\n---\n\nTwo.",
        "---\n\nNote: one\n\n---\n\ndraft: true", "http://a.example\nTitle: T",
        "<!-- draft: see below -->\nText."}) {
    EXPECT_EQ(Read(text, {.title = "T"})->body(), text);
  }
}

TEST(MarkdownImport, RefusesFrontMatterInOtherLanguages) {
  EXPECT_EQ(Problem("---js\n{title: \"T\"}\n---\nText."),
            "line 1: the front matter is neither YAML, TOML nor JSON");
  EXPECT_EQ(RecognizeFormat("notes", "---coffee\ntitle: 'T'\n---\n"), Format::kMarkdown);
}

TEST(MarkdownImport, ReadsLinesOfKeys) {
  const auto article = Read(
      "Title: My: title\nDate: 2010-12-03 10:20\nCategory: Python\nTags: a b, c\n"
      "Authors: Ada Byron, Jo Doe\nSummary: One\n    two.\n\nText: here.\n");
  ASSERT_TRUE(article.ok()) << article.status();
  EXPECT_EQ(article->title(), "My: title");
  EXPECT_EQ(TimeUtil::ToString(article->publish_time()), "2010-12-03T10:20:00Z");
  EXPECT_THAT(article->tags(), ElementsAre("a b", "c", "Python"));
  EXPECT_THAT(AuthorsOf(*article), ElementsAre("Ada Byron", "Jo Doe"));
  EXPECT_EQ(article->summary(), "One two.");
  EXPECT_EQ(article->body(), "Text: here.");
  EXPECT_EQ(Problem("Title: T\nStatus: draft\n\nText."), "line 2: status is draft");
  EXPECT_EQ(Read("Title: T\nThen prose.\n\n# H\n")->title(), "H");
  EXPECT_THAT(Read("Title: T\nTags: machine learning\n\nText.")->tags(),
              ElementsAre("machine learning"));
  EXPECT_THAT(Read("Title: T\nTags: a, b; c\n\nText.")->tags(), ElementsAre("a, b", "c"));
  EXPECT_EQ(Read("Author: Ada\nBase Header Level: 2\n\nText.", {.title = "T"})->body(), "Text.");
}

TEST(MarkdownImport, KeepsTextWithColons) {
  for (const char* text : {
           "Serves: 4\nCooking time: 20 minutes\nAuthor: Grandma\nNote: no salt\n\nMix the flour.",
           "Present: Ada, Jo\nExcused: Mary\nDate: 12 June 2025\n\nThe chair opened.",
           "---\n\nquote: he said\nAuthor: unknown\n\n---\n\n# Title",
           "Serves: 4\nAuthor: Grandma\n---\n\nMix the flour.",
       }) {
    const auto article = Read(text, {.title = "T"});
    ASSERT_TRUE(article.ok()) << article.status() << " in " << text;
    EXPECT_EQ(article->body(), text);
  }
  EXPECT_EQ(Read("Author: Ada\nDate: 2025-06-12\nMood: good\n\nText.", {.title = "T"})->body(),
            "Text.");
}

TEST(MarkdownImport, FindsFrontMatterInOddPlaces) {
  for (const char* file : {" ---\ntitle: T\n---\nText.", "<!-- x -->\n---\ntitle: T\n---\nText.",
                           "----\ntitle: T\n----\nText.", "\uFEFF\uFEFF---\ntitle: T\n---\nText.",
                           "---\rtitle: T\r---\rText.", "---yaml\ntitle: T\n---\nText.",
                           "---\ntitle: T\nx: |\n  ---\n...\nText."}) {
    const auto article = Read(file);
    ASSERT_TRUE(article.ok()) << article.status() << " in " << file;
    EXPECT_EQ(article->title(), "T") << file;
    EXPECT_EQ(article->body(), "Text.") << file;
  }
  const std::string poem = "---\n\nA poem: it starts.\n\n---\n\nAnd ends.";
  EXPECT_EQ(Read(poem, {"T", ""})->body(), poem);
}

TEST(MarkdownImport, LeavesOutControlCharactersAndSaysSo) {
  const auto parsed = Parse("---\ntitle: T\n---\nOne\btwo\f\n\x1A", Format::kMarkdown, {});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->article.body(), "Onetwo");
  EXPECT_THAT(parsed->notes,
              ElementsAre("left out 2 control characters, the first of them U+0008 in line 4"));
}

TEST(MarkdownImport, RefusesFilesThatAreNoArticles) {
  const auto reason = [](absl::string_view file, absl::string_view path = "/blog/a.md") {
    return ReasonOfRefusal(Parse(file, Format::kMarkdown, {}, path).status());
  };
  EXPECT_EQ(reason("---\ntitle: T\n---\n"), "no text");
  EXPECT_EQ(reason(""), "no text");
  EXPECT_EQ(reason("Text.", ""), "no title");
  EXPECT_EQ(reason("---\ntitle: T\ndate: x\n---\nText."), "bad field");
  EXPECT_EQ(reason("---\nbad yaml: [\n---\nText."), "front matter");
  EXPECT_EQ(reason("---\ntitle: T\n---\nText.", "/blog/_index.md"), "no article");
  EXPECT_EQ(reason(absl::string_view("Te\0xt", 5)), "not text");
  EXPECT_EQ(reason("\xFF\xFET"), "not text");
  for (const char* folder : {"_drafts", "drafts", "_Drafts", "Drafts"}) {
    EXPECT_EQ(reason("---\ntitle: T\n---\nText.", absl::StrCat("/blog/", folder, "/a.md")),
              "draft");
  }
  EXPECT_EQ(reason("---\ntitle: T\n---\nText.", "/blog/drafts/a.md"), "draft");
  EXPECT_EQ(reason("---\ntitle: T\ndraft: true\ndate: x\n---\nText."), "draft");
}

TEST(MarkdownImport, NamesEveryFaultOfAFile) {
  EXPECT_EQ(Problem("---\ntitle: [a]\ndate: soon\nslug: [b]\ntags: {a: b}\nlang: '?'\n"
                    "author: {name: [x], url: ftp}\n---\n\n"),
            "line 2: title must be text\n"
            "line 3: \"soon\" is not a date such as 2025-06-12, 2025-06-12T08:30:00Z or 2025-06-12 "
            "08:30:00 +0200\n"
            "line 4: slug must be text\n"
            "line 5: tags must be text or a list\n"
            "line 6: lang is not a BCP 47 language tag such as en or pt-BR\n"
            "line 7: authors[0].name must be text\n"
            "body is required");
  EXPECT_EQ(Problem("---\ndate: soon\n---\nText.", {"", "Not an id"}),
            "line 2: \"soon\" is not a date such as 2025-06-12, 2025-06-12T08:30:00Z or 2025-06-12 "
            "08:30:00 +0200\n"
            "there is no title; give it with --title\n"
            "--id is not articles/{id} with an id of 1 to 63 lower-case letters, digits and inner "
            "hyphens");
  std::string authors;
  for (int i = 0; i < 20; ++i) absl::StrAppend(&authors, "- \"Ada\\x07", i, "\"\n");
  EXPECT_THAT(ProblemWith(absl::StrCat("authors:\n", authors)),
              AllOf(StartsWith("line 4: authors[0].name "),
                    EndsWith("\nand 4 more faults of these kinds")));
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

TEST(MarkdownImport, ReadsAuthorsAmongHugosParams) {
  EXPECT_THAT(AuthorsOf(With("params: {author: Ada Byron}")), ElementsAre("Ada Byron"));
  EXPECT_THAT(AuthorsOf(With("author: Jo\nparams: {author: Ada Byron}")), ElementsAre("Jo"));
}

TEST(MarkdownImport, ReadsAuthorsInsideMarkup) {
  const v1::Article article = With(
      "author:\n- \"[Ada Byron](https://ada.example)\"\n- \"ada@mail.example (Jo Doe)\"\n"
      "- Bo <bo@mail.example>\n");
  EXPECT_THAT(AuthorsOf(article), ElementsAre("Ada Byron", "Jo Doe", "Bo"));
  EXPECT_EQ(article.authors(0).uri(), "https://ada.example");
}

TEST(MarkdownImport, SeparatesAuthorsInOneText) {
  EXPECT_THAT(AuthorsOf(With("author: Ada Byron and Jo Doe")), ElementsAre("Ada Byron", "Jo Doe"));
  EXPECT_THAT(AuthorsOf(With("author: Ada Byron, Engine Director")),
              ElementsAre("Ada Byron, Engine Director"));
  EXPECT_THAT(AuthorsOf(With("author: The Dev and Docs Team")),
              ElementsAre("The Dev and Docs Team"));
  EXPECT_THAT(AuthorsOf(With("authors: Ada, Jo and Bo")), ElementsAre("Ada", "Jo", "Bo"));
  EXPECT_THAT(AuthorsOf(With("authors: Byron, Ada; Doe, Jo")),
              ElementsAre("Byron, Ada", "Doe, Jo"));
}

TEST(MarkdownImport, LeavesOutWhatIsEmptyOrDouble) {
  EXPECT_THAT(AuthorsOf(With("authors: [~, Ada, '', Ada]")), ElementsAre("Ada"));
  EXPECT_THAT(AuthorsOf(With("author: ''\nauthors: [Ada]")), ElementsAre("Ada"));
  EXPECT_THAT(AuthorsOf(With("author: {url: /ada}")), IsEmpty());
  EXPECT_THAT(Tags("tags: [a, '', b, a]"), ElementsAre("a", "b"));
  EXPECT_THAT(Tags("tags:\n - a\n -\n"), ElementsAre("a"));
}

TEST(MarkdownImport, ReadsCategoriesAsTags) {
  EXPECT_THAT(Tags("category: Two words\ncategories: b c\ntag: d e\ntags: f"),
              ElementsAre("f", "d e", "b", "c", "Two words"));
  EXPECT_THAT(Tags("categories: [[a, b], [c]]"), ElementsAre("a", "b", "c"));
}

TEST(MarkdownImport, ReadsTheExcerptAndWhereTheArticleComesFrom) {
  EXPECT_EQ(With("excerpt: Short.").summary(), "Short.");
  EXPECT_EQ(With("canonical_url: https://a.example/x").source_uri(), "https://a.example/x");
  EXPECT_EQ(With("url: https://a.example/x").source_uri(), "https://a.example/x");
  EXPECT_EQ(With("url: /x").source_uri(), "");
}

TEST(MarkdownImport, ReadsLanguagesWithUnderscores) {
  EXPECT_EQ(With("lang: en_US").language_code(), "en-US");
  EXPECT_EQ(With("locale: zh_tw").language_code(), "zh-tw");
}

TEST(MarkdownImport, ReadsMergedMaps) {
  EXPECT_EQ(With("base: &b {lang: en, slug: x}\n<<: *b\nslug: y").name(), "articles/y");
  EXPECT_EQ(With("base: &b {lang: en}\n<<: *b").language_code(), "en");
}

TEST(MarkdownImport, RefusesAnchorsThatMakeMillionsOfValues) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    absl::StrAppend(&bomb, "a", i, ": &a", i, " [");
    for (int k = 0; k < 10; ++k) absl::StrAppend(&bomb, k == 0 ? "" : ", ", "*a", i - 1);
    absl::StrAppend(&bomb, "]\n");
  }
  EXPECT_EQ(ProblemWith(bomb),
            "line 2: the front matter has too many values, or nests them too deeply");
}

// The front matter is read twice to say where a quote is not closed.
TEST(MarkdownImport, BearsAnchorsWithinThemselves) {
  EXPECT_THAT(ProblemWith("a: &a [b, *a]"), HasSubstr("too many values"));
  EXPECT_THAT(ProblemWith("a: &a [b, *a]\nc: \"d"), HasSubstr("not closed"));
  EXPECT_THAT(ProblemWith("a: &a {b: *a}\n? *a\n: c\nd: \"e"), HasSubstr("not closed"));
}

TEST(MarkdownImport, RefusesLongTextsThatAreRepeated) {
  std::string list = absl::StrCat("a: &a ", std::string(50'000, 'x'), "\nb: [");
  for (int i = 0; i < 1'000; ++i) absl::StrAppend(&list, "*a, ");
  EXPECT_THAT(ProblemWith(absl::StrCat(list, "]")), HasSubstr("too many values"));
}

TEST(MarkdownImport, RefusesKeysOfVeryManyParts) {
  std::string key = "a";
  for (int i = 0; i < 50'000; ++i) key.append(".a");
  for (const std::string& toml :
       {absl::StrCat(key, " = 1"), absl::StrCat("[", key, "]"), absl::StrCat("b = {", key, " = 1}"),
        absl::StrCat("b = \"\"\"\nc\\\"\"\"\"\n", key, " = 1")}) {
    EXPECT_THAT(Problem(absl::StrCat("+++\ntitle = 'T'\n", toml, "\n+++\nText.")),
                HasSubstr("too many values"));
  }
  // Dots elsewhere do not count.
  std::string sentences;
  for (int i = 0; i < 50; ++i) sentences.append("Its low. ");
  const auto article =
      Read(absl::StrCat("+++\n# ", sentences, "\ntitle = \"T\"\ndescription = \"\\\"", sentences,
                        "\"\na = '''\n", sentences, "\n'''\nnumbers = [1.5, 2.5]\n+++\nText."));
  EXPECT_TRUE(article.ok()) << article.status();
}

TEST(MarkdownImport, RefusesFrontMatterThatIsTooLong) {
  const std::string text(200'000, 'x');
  EXPECT_THAT(ProblemWith(absl::StrCat("a: ", text)), HasSubstr("more than 200000 bytes"));
  EXPECT_THAT(Problem(absl::StrCat("{\"title\": \"", text, "\"}\nText.")),
              HasSubstr("more than 200000 bytes"));
}

// Comparing each with all others would take minutes.
TEST(MarkdownImport, IsFastForAnyFrontMatter) {
  const auto repeat = [](absl::string_view text) {
    std::string result;
    for (int i = 0; result.size() < 190'000; ++i) absl::StrAppend(&result, text, i);
    return result;
  };
  EXPECT_THAT(ProblemWith(absl::StrCat("authors: ", repeat(";a"))), HasSubstr("more than 50"));
  EXPECT_THAT(ProblemWith(absl::StrCat("tags: ", repeat(" a"))), HasSubstr("more than 50"));
  std::string json;
  for (int i = 0; json.size() < 190'000; ++i) absl::StrAppend(&json, "\"", i, "\":1,");
  EXPECT_THAT(Problem(absl::StrCat("{", json, "\"title\":\"T\"}\nText.")),
              HasSubstr("too many values"));
  EXPECT_THAT(Problem(absl::StrCat("{\"a\":", std::string(1'000, '['), std::string(1'000, ']'),
                                   ",\"title\":\"T\"}\nText.")),
              HasSubstr("too many values"));
  std::string keys = "Title: T\n";
  while (keys.size() < 1'000'000) keys.append("a: b\n");
  EXPECT_TRUE(Read(keys, {.title = "T", .id = "t"}).ok());
}

std::vector<std::string> FormerNamesWith(absl::string_view front_matter) {
  const absl::StatusOr<ParsedFile> file =
      ParseMarkdown(absl::StrCat("---\ntitle: A title\n", front_matter, "\n---\nText.\n"));
  EXPECT_TRUE(file.ok()) << file.status();
  return file.ok() ? file->former_names : std::vector<std::string>();
}

TEST(MarkdownImport, ReadsFormerNames) {
  EXPECT_THAT(FormerNamesWith("aliases: [/posts/Low Water/, /2014/05/ebb.html, ebb, /]"),
              ElementsAre("low-water", "ebb"));
  EXPECT_THAT(FormerNamesWith("redirect_from:\n  - /ebb/\n  - https://e.org/flow"),
              ElementsAre("ebb", "flow"));
  EXPECT_THAT(FormerNamesWith("redirect_from: /ebb/\nalias: flow/index.html"),
              ElementsAre("flow", "ebb"));
  EXPECT_THAT(FormerNamesWith("slug: tides\naliases: [/old/tides/, '/{{ slug }}/', '']"),
              IsEmpty());
}

TEST(MarkdownImport, TakesNoTemplateForAnAddress) {
  for (const std::string address : {"'/{{ page.date }}/tides/'", "'/{% if a %}b{% endif %}/'",
                                    "'/<%= slug %>/'", "'/:year/:title/'", "{build: /tides/}"}) {
    const v1::Article article =
        Named("low-water.md", absl::StrCat("title: T\npermalink: ", address, "\n"));
    EXPECT_EQ(article.name(), "articles/low-water") << address;
  }
}

TEST(MarkdownImport, LeavesOutPagesThatAreNotWritten) {
  EXPECT_EQ(ProblemWith("permalink: false"), "line 3: permalink is false");
  EXPECT_EQ(ProblemWith("_build:\n  render: never"), "line 4: build.render is never");
  EXPECT_EQ(ProblemWith("build: {list: never}"), "none");
}

TEST(MarkdownImport, PublishesNoEmailAddressOfAnAuthor) {
  for (const std::string author :
       {"ada@mail.example", "<ada@mail.example>", "{name: ada@mail.example}", "[ada@mail.example]",
        "'mailto:ada@mail.example'", "'[ada@mail.example](https://e.org)'"}) {
    EXPECT_THAT(AuthorsOf(With(absl::StrCat("author: ", author))), IsEmpty()) << author;
  }
  for (const std::string author :
       {"Ada Byron ada@mail.example", "'Ada Byron, <ada@mail.example>'",
        "ada@mail.example (Ada Byron)", "{name: Ada Byron (ada@mail.example)}",
        "{name: Ada Byron, id: ada@mail.example}"}) {
    const v1::Article article = With(absl::StrCat("author: ", author));
    EXPECT_THAT(AuthorsOf(article), ElementsAre("Ada Byron")) << author;
    EXPECT_EQ(article.authors(0).id().find('@'), std::string::npos) << author;
  }
}

TEST(MarkdownImport, ShowsOnlyTheBeginningOfLongTexts) {
  const std::string text(5'000, 'x');
  EXPECT_LT(ProblemWith(absl::StrCat("date: 1", text)).size(), 500U);
  const auto parsed = Parse(absl::StrCat("---\ntitle: T\n? ", text, "\n: 1\n---\nText."),
                            Format::kMarkdown, {.title = "", .id = "t"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  ASSERT_THAT(parsed->ignored_keys, ::testing::SizeIs(1));
  EXPECT_LT(parsed->ignored_keys[0].size(), 200U);
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
  EXPECT_EQ(Time("2024-01-01 00:00:00 -5"), "2024-01-01T05:00:00Z");
  EXPECT_EQ(Time("2015-01-03 22:54:43 GMT"), "2015-01-03T22:54:43Z");
  EXPECT_EQ(Time("2025-10-14 00:10.000000000 +09:00"), "2025-10-13T15:10:00Z");
  EXPECT_EQ(Time("2020/01/02 10:00:00"), "2020-01-02T10:00:00Z");
  EXPECT_EQ(Time("2020/1/2"), "2020-01-02T00:00:00Z");
  EXPECT_EQ(Time("2020-01-02 10:00 PM"), "2020-01-02T22:00:00Z");
  EXPECT_EQ(Time("Thu, 12 Jun 2025 08:30:00 +0200"), "2025-06-12T06:30:00Z");
  EXPECT_EQ(Time("June 12, 2025"), "2025-06-12T00:00:00Z");
  EXPECT_EQ(Time("12 de junho de 2025"), "2025-06-12T00:00:00Z");
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
  for (const char* date : {"yesterday", "12/06/2025", "2025-02-30", "2025-06-12T25:00:00Z",
                           "2025-06-12T10", "2025-06-12 10:00 CET", "UTC", "20-01-02", "06-12-25",
                           "20-01-02 10:00:00 +0900", "Jan 2, 20", "infinite-future"}) {
    EXPECT_THAT(ProblemWith(absl::StrCat("tags: x\ndate: ", date)),
                StartsWith(absl::StrCat("line 4: \"", date, "\" is not a date")));
  }
}

TEST(MarkdownImport, ReadsTagsFromAListOrAString) {
  EXPECT_THAT(Tags("tags: [two words, one]"), ElementsAre("two words", "one"));
  EXPECT_THAT(Tags("tags:\n  - 2025\n  - b"), ElementsAre("2025", "b"));
  EXPECT_THAT(Tags("tags: two words, one,"), ElementsAre("two words", "one"));
  EXPECT_THAT(Tags("tags: three short  words"), ElementsAre("three", "short", "words"));
  EXPECT_THAT(Tags("tags: [{name: two words, color: red}, one]"), ElementsAre("two words", "one"));
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
  EXPECT_EQ(ProblemWith("tags:\n- a\n- {b: c}"), "line 5: tags must be text or a list");
  EXPECT_THAT(ProblemWith("author: [[x]]"), StartsWith("line 3: an author must be a name"));
  EXPECT_EQ(ProblemWith("author:\n  name: [x]"), "line 4: authors[0].name must be text");
  EXPECT_THAT(Problem("---\njust words\n---\nText."), StartsWith("line 2: the front matter must"));
}

TEST(MarkdownImport, NamesTheLineOfMalformedYaml) {
  EXPECT_THAT(ProblemWith("tags: [a, b"), HasSubstr("is not YAML"));
  EXPECT_THAT(ProblemWith("a: b: c"), StartsWith("line 3: the front matter is not YAML"));
  EXPECT_THAT(ProblemWith("summary: x\n  \tauthor: *nobody"), StartsWith("line "));
  EXPECT_THAT(ProblemWith("author: *nobody"), StartsWith("line 3: "));
}

TEST(MarkdownImport, SurvivesDeeplyNestedYaml) {
  EXPECT_THAT(ProblemWith(absl::StrCat("x: ", std::string(90'000, '['))), StartsWith("line "));
}

TEST(MarkdownImport, AsksForTheTitle) {
  EXPECT_THAT(Problem("---\nauthor: Ada\n---\nText."), HasSubstr("--title"));
  EXPECT_THAT(Problem("---\ntitle:\n---\nText."), HasSubstr("--title"));
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
  EXPECT_THAT(ProblemWith("summary: \"\\x07\""), StartsWith("line 3: summary has a control"));
  EXPECT_THAT(Problem("---\ntitle: A title\n---\n\n"), StartsWith("body is required"));
}

TEST(MarkdownImport, MakesAnIdOfAnySlug) {
  EXPECT_EQ(With("slug: EOY-letter-2024").name(), "articles/eoy-letter-2024");
  EXPECT_EQ(With("slug: my_post").name(), "articles/my-post");
  EXPECT_EQ(With("slug: /my-post/").name(), "articles/my-post");
  EXPECT_EQ(With("slug: something-&-else").name(), "articles/something-else");
}

TEST(MarkdownImport, PrefersTheSlugToTheId) {
  EXPECT_EQ(With("id: Post_7\nslug: own").name(), "articles/own");
  EXPECT_EQ(With("id: own\nslug:").name(), "articles/own");
  EXPECT_EQ(With("id: own\nslug: ''").name(), "articles/own");
}

TEST(MarkdownImport, LeavesOutDrafts) {
  for (const char* mark : {"draft: true",         "Draft: true",          "draft: 1",
                           "published: false",    "published: 0",         "publish: false",
                           "status: draft",       "Status: hidden",       "private: true",
                           "hidden: yes",         "visibility: private",  "visibility: paid",
                           "visibility: members", "status: unpublished",  "post_status: draft",
                           "status: future",      "password: x",          "render: false",
                           "unlisted: true",      "isDraft: true",        "status: unlisted",
                           "status: [draft]",     "status: [a, [Hidden]]"}) {
    const auto parsed =
        Parse(absl::StrCat("---\ntitle: A title\n", mark, "\n---\nText."), Format::kMarkdown, {});
    EXPECT_EQ(ReasonOfRefusal(parsed.status()), kReasonDraft) << mark;
    EXPECT_THAT(std::string(parsed.status().message()), StartsWith("line 3: ")) << mark;
  }
  EXPECT_EQ(ProblemWith("password: x"), "line 3: password is set");
  EXPECT_EQ(ProblemWith("password: ''\nvisibility: public\npost_status: publish"), "none");
  EXPECT_EQ(ProblemWith("draft: false\npublished: true\nstatus: published\nprivate: 0"), "none");
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
}  // namespace content::transfer
