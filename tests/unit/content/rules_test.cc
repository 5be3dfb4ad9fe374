#include "content/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace content {
namespace {

v1::Article ValidArticle() {
  v1::Article article;
  article.set_title("A title");
  article.set_body("Text.");
  return article;
}

v1::Comment ValidComment() {
  v1::Comment comment;
  comment.mutable_author()->set_id("u1");
  comment.mutable_author()->set_display_name("Ana");
  comment.set_body("Text.");
  return comment;
}

std::string Repeat(absl::string_view text, int times) {
  std::string repeated;
  for (int i = 0; i < times; ++i) absl::StrAppend(&repeated, text);
  return repeated;
}

std::string Problems(const v1::Article& article) {
  Violations violations;
  CheckArticle(article, "article", violations);
  return std::string(violations.ToStatus().message());
}

std::string Problems(const v1::Comment& comment) {
  Violations violations;
  CheckComment(comment, "comment", violations);
  return std::string(violations.ToStatus().message());
}

TEST(CheckAuthorIsCaller, LimitsOnlyWhoMayWriteAsOnePerson) {
  EXPECT_TRUE(CheckAuthorIsCaller(nullptr, "ana").ok());
  Caller caller{.identity = "jwt:ben", .person = "ben"};
  EXPECT_TRUE(CheckAuthorIsCaller(&caller, "ana").ok());
  caller.writes_only_as_person = true;
  EXPECT_TRUE(CheckAuthorIsCaller(&caller, "ben").ok());
  EXPECT_EQ(ReasonOf(CheckAuthorIsCaller(&caller, "ana")), "AUTHOR_NOT_CALLER");
  caller.person = "";  // a certificate names no person
  const absl::Status missing = CheckAuthorIsCaller(&caller, "ana");
  EXPECT_EQ(missing.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ReasonOf(missing), "CREDENTIALS_MISSING");
}

// The problems of a valid article after a change.
std::string ArticleWith(const std::function<void(v1::Article&)>& change) {
  v1::Article article = ValidArticle();
  change(article);
  return Problems(article);
}

std::string CommentWith(const std::string& body) {
  v1::Comment comment = ValidComment();
  comment.set_body(body);
  return Problems(comment);
}

TEST(CommentRules, AcceptTextOfEveryScript) {
  EXPECT_EQ(CommentWith("plain"), "");
  EXPECT_EQ(CommentWith("two\nlines\r\n\tindented"), "");
  EXPECT_EQ(CommentWith("🙂"), "");
  EXPECT_EQ(CommentWith("👩‍👩‍👧‍👦"), "");
  EXPECT_EQ(CommentWith("مرحبا بالعالم"), "");
  EXPECT_EQ(CommentWith("\u202Bעברית\u202C"), "");
  EXPECT_EQ(CommentWith("e\u0301"), "");
}

TEST(CommentRules, CountCharactersNotBytes) {
  EXPECT_EQ(CommentWith(Repeat("é", 10'000)), "");
  EXPECT_EQ(CommentWith(Repeat("🙂", 10'000)), "");
  EXPECT_EQ(CommentWith(Repeat("é", 10'001)),
            "comment.body has 10001 characters; at most 10000 are allowed");
}

TEST(CommentRules, RefuseInvisibleText) {
  EXPECT_EQ(CommentWith(""), "comment.body is required");
  for (const char* body : {" ", "\n\n", "\u00A0", "\u200B\u200D", "\u3000"}) {
    EXPECT_EQ(CommentWith(body), "comment.body has no visible character");
  }
}

TEST(CommentRules, RefuseControlCharacters) {
  for (const std::string& body : {std::string("a\0b", 3), std::string("a\x1b[31m"),
                                  std::string("a\x7f"), std::string("a\u0085")}) {
    EXPECT_EQ(CommentWith(body),
              "comment.body has a control character other than tab, line feed and return");
  }
}

TEST(CommentRules, NameEveryFieldOfAnEmptyComment) {
  EXPECT_EQ(Problems(v1::Comment()),
            "comment.author.id is required; comment.author.display_name is required; "
            "comment.body is required");
}

TEST(ArticleRules, AcceptAMinimalArticle) { EXPECT_EQ(Problems(ValidArticle()), ""); }

TEST(ArticleRules, NameEachBadField) {
  EXPECT_EQ(Problems(v1::Article()), "article.title is required; article.body is required");
  EXPECT_THAT(ArticleWith([](auto& a) { a.set_name("articles/../x"); }),
              ::testing::StartsWith("article.name is not articles/{id}"));
  EXPECT_EQ(ArticleWith([](auto& a) { a.set_title("two\nlines"); }),
            "article.title has a control character or a line break");
  EXPECT_EQ(ArticleWith([](auto& a) { a.set_title(Repeat("x", 301)); }),
            "article.title has 301 characters; at most 300 are allowed");
  EXPECT_EQ(ArticleWith([](auto& a) { a.set_body(Repeat("x", kMaxBodyBytes + 1)); }),
            "article.body has 1048577 bytes; at most 1048576 are allowed");
  EXPECT_EQ(ArticleWith([](auto& a) { a.add_authors(); }),
            "article.authors[0].display_name is required");
  EXPECT_EQ(ArticleWith([](auto& a) {
              for (int i = 0; i < 51; ++i) a.add_authors()->set_display_name("x");
            }),
            "article.authors has more than 50");
  EXPECT_EQ(ArticleWith([](auto& a) {
              a.add_tags("sea");
              a.add_tags("sea");
            }),
            "article.tags[1] is a duplicate");
  EXPECT_EQ(ArticleWith([](auto& a) { a.set_summary(Repeat("x", 2001)); }),
            "article.summary has 2001 characters; at most 2000 are allowed");
  EXPECT_EQ(ArticleWith([](auto& a) { a.mutable_publish_time()->set_seconds(253'402'300'800); }),
            "article.publish_time is not between 0001-01-01 and 9999-12-31");
  EXPECT_EQ(ArticleWith([](auto& a) { a.set_comment_policy(static_cast<v1::CommentPolicy>(9)); }),
            "article.comment_policy is not a value of CommentPolicy");
}

// The problems of an article and a comment with `name` in each field that is a name.
std::vector<std::string> NameProblems(const std::string& name) {
  v1::Comment comment = ValidComment();
  comment.mutable_author()->set_id(name);
  comment.mutable_author()->set_display_name(name);
  v1::Article article = ValidArticle();
  article.set_title(name);
  article.add_tags(name);
  article.add_authors()->set_display_name(name);
  article.mutable_authors(0)->set_id(name);
  std::vector<std::string> problems = absl::StrSplit(Problems(comment), "; ", absl::SkipEmpty());
  for (const auto problem : absl::StrSplit(Problems(article), "; ", absl::SkipEmpty())) {
    problems.emplace_back(problem);
  }
  return problems;
}

std::vector<std::string> InEveryName(const std::string& problem) {
  std::vector<std::string> problems;
  for (const char* field :
       {"comment.author.id", "comment.author.display_name", "article.title",
        "article.authors[0].display_name", "article.authors[0].id", "article.tags[0]"}) {
    problems.push_back(absl::StrCat(field, " ", problem));
  }
  return problems;
}

TEST(NameRules, RefuseBidirectionalControls) {
  for (const char* name : {"a\u202Eb", "a\u202Ab\u202C", "\u2067a\u2069", "a\u200F", "\u061Ca"}) {
    EXPECT_EQ(NameProblems(name), InEveryName("has a bidirectional control character"));
  }
}

TEST(NameRules, RefuseInvisibleEdges) {
  for (const char* name : {"\u200Ba", "a\u200D", "\uFEFFa", "a\u2060", "a\u00AD", "\u2800a",
                           "a\u2800", "\uFFF9a", "a\uFFFB"}) {
    EXPECT_EQ(NameProblems(name), InEveryName("begins or ends with an invisible character"));
  }
  for (const char* name : {"\u200B", " ", "\u200D\uFEFF", "\u2800", "\uFFFA\u0301"}) {
    EXPECT_EQ(NameProblems(name), InEveryName("has no visible character"));
  }
}

TEST(NameRules, RefuseACombiningMarkAtTheBeginning) {
  for (const char* name : {"\u0301a", "\u20DDa", "\u0E48a"}) {
    EXPECT_EQ(NameProblems(name), InEveryName("begins with a combining mark"));
  }
}

TEST(NameRules, AcceptNamesOfEveryScript) {
  for (const char* name :
       {"עברית", "می‌خواهم", "👩‍👩‍👧‍👦", "❤️", "a\u00ADb", "東京"}) {
    EXPECT_THAT(NameProblems(name), ::testing::IsEmpty()) << name;
  }
}

std::string SourceUriProblems(const std::string& uri) {
  return ArticleWith([&uri](auto& a) { a.set_source_uri(uri); });
}

TEST(ArticleRules, AcceptAbsoluteWebUris) {
  for (const char* uri :
       {"https://example.com/a?b=c", "http://example.com", "HTTPS://EXAMPLE.COM/", "https://a#b",
        "http://user:pw@example.com:8080/a/../b;c=d?e=/?#f", "http://127.0.0.1", "https://a:/",
        "http://[2001:db8::1]:80/", "https://xn--bcher-kva.example/%C3%BC", "https://a/(b)'*!~"}) {
    EXPECT_EQ(SourceUriProblems(uri), "") << uri;
  }
}

TEST(ArticleRules, RefuseEverythingElseAsUri) {
  for (const char* uri : {"example.com",
                          "javascript:alert(1)",
                          "/path",
                          "//example.com/",
                          "ftp://example.com/",
                          "https:",
                          "https:/a",
                          "https:a",
                          "http://",
                          "https:///a",
                          "https://?",
                          "https://#",
                          "http://:80",
                          "http://user@",
                          "http://[",
                          "http://[::1",
                          "http://[:::]",
                          "https://%zz",
                          "https://a/%2",
                          "https://a b",
                          "http://a\"b<c>",
                          "https://a/{b}",
                          "https://a\\b",
                          "https://a:port/",
                          "https://b\u00FCcher.example/",
                          " https://a",
                          "https://a#b#c",
                          "httpss://a"}) {
    EXPECT_EQ(SourceUriProblems(uri), "article.source_uri is not an absolute http or https URI")
        << uri;
  }
}

TEST(ArticleRules, LimitTheLengthOfUris) {
  const std::string start = "https://a/";
  EXPECT_EQ(SourceUriProblems(start + Repeat("x", 1990)), "");
  EXPECT_EQ(SourceUriProblems(start + Repeat("/", 1990)), "");
  EXPECT_EQ(SourceUriProblems(start + Repeat("x", 1991)),
            "article.source_uri has 2001 characters; at most 2000 are allowed");
  EXPECT_EQ(SourceUriProblems(start + Repeat("\u00E9", 1500)),
            "article.source_uri is not an absolute http or https URI");
  // Long enough to crash a parser that recurses for each character.
  EXPECT_EQ(SourceUriProblems("https://" + Repeat("x", 4'000'000)),
            "article.source_uri has 4000008 characters; at most 2000 are allowed");
}

TEST(ArticleRules, HoldTheUrisOfAuthorsToTheSameRule) {
  EXPECT_EQ(ArticleWith([](auto& a) {
              a.add_authors()->set_display_name("x");
              a.mutable_authors(0)->set_uri("http://[");
            }),
            "article.authors[0].uri is not an absolute http or https URI");
}

TEST(ArticleRules, TakeOnlyLanguageTags) {
  const auto with = [](const char* tag) {
    return ArticleWith([tag](auto& a) { a.set_language_code(tag); });
  };
  for (const char* tag : {"en", "pt-BR", "zh-Hant-TW", "de-CH-1996"}) EXPECT_EQ(with(tag), "");
  for (const char* tag : {"english language", "-en", "en-", "1a", "en_US", "toolonglang"}) {
    EXPECT_EQ(with(tag), "article.language_code is not a BCP 47 language tag such as en or pt-BR");
  }
}

TEST(CompleteArticle, MakesTheIdFromTheTitle) {
  v1::Article article = ValidArticle();
  article.set_title("Café, or: What We Lost");
  ASSERT_TRUE(CompleteArticle("article", article).ok());
  EXPECT_EQ(article.name(), "articles/cafe-or-what-we-lost");
}

TEST(CompleteArticle, RequiresANameIfTheTitleGivesNone) {
  v1::Article article = ValidArticle();
  article.set_title("？！");
  EXPECT_EQ(CompleteArticle("article", article).message(),
            "article.name is required: no id can be derived from the title");
}

TEST(CompleteArticle, ReplacesOutputOnlyFields) {
  v1::Article article = ValidArticle();
  article.set_revision(7);
  article.set_comment_count(7);
  article.set_word_count(7);
  article.add_sections()->set_heading("made up");
  article.mutable_publish_time()->set_nanos(123'456'789);
  ASSERT_TRUE(CompleteArticle("article", article).ok());
  EXPECT_EQ(article.revision(), 0);
  EXPECT_EQ(article.comment_count(), 0);
  EXPECT_EQ(article.word_count(), 1);
  ASSERT_EQ(article.sections_size(), 1);
  EXPECT_EQ(article.sections(0).heading(), "");
  EXPECT_EQ(article.publish_time().nanos(), 123'456'000);
}

TEST(CompleteArticle, RefusesTooManySections) {
  v1::Article article = ValidArticle();
  article.set_body(Repeat("# x\n", 1001));
  EXPECT_EQ(CompleteArticle("article", article).message(),
            "article.body has 1001 sections; at most 1000 are allowed");
}

TEST(MergeArticle, CopiesOnlyNamedFieldsAndDescribesTheBodyAgain) {
  v1::Article article = ValidArticle();
  article.set_name("articles/a");
  article.add_tags("old");
  article.set_summary("old");
  ASSERT_TRUE(CompleteArticle("article", article).ok());
  v1::Article changes;
  changes.set_name("articles/b");
  changes.set_body("# One\n\n# Two");
  changes.add_tags("new");
  ASSERT_TRUE(MergeArticle(changes, {"body", "tags"}, article).ok());
  EXPECT_EQ(article.name(), "articles/a");
  EXPECT_EQ(article.title(), "A title");
  EXPECT_EQ(article.summary(), "old");
  EXPECT_EQ(article.sections_size(), 2);
  ASSERT_EQ(article.tags_size(), 1);
  EXPECT_EQ(article.tags(0), "new");
  ASSERT_TRUE(MergeArticle(changes, {"summary"}, article).ok());
  EXPECT_EQ(article.summary(), "");
}

TEST(MergeArticle, KeepsTheNameWhenTheTitleChanges) {
  v1::Article article = ValidArticle();
  article.set_name("articles/a");
  v1::Article changes;
  changes.set_title("Another title");
  ASSERT_TRUE(MergeArticle(changes, {"title"}, article).ok());
  EXPECT_EQ(article.name(), "articles/a");
}

TEST(MergeArticle, DoesNotJudgeFieldsThatAreNotNamed) {
  v1::Article article;
  article.set_title("older than\nthe rules");
  v1::Article changes;
  changes.set_summary("new");
  changes.set_language_code("?");
  EXPECT_TRUE(MergeArticle(changes, {"summary"}, article).ok());
  EXPECT_FALSE(MergeArticle(changes, {"summary", "language_code"}, article).ok());
  EXPECT_FALSE(MergeArticle(changes, {"title"}, article).ok());
}

TEST(MergeArticle, NamesEveryFieldThatWouldBreakTheRules) {
  v1::Article article = ValidArticle();
  v1::Article changes;
  changes.set_language_code("no tag");
  EXPECT_EQ(MergeArticle(changes, ChangeableArticleFields(), article).message(),
            "article.title is required; article.language_code is not a BCP 47 language tag such "
            "as en or pt-BR; article.body is required");
}

TEST(ChangeableArticleFields, AreAllFieldsThatTheServiceDoesNotSet) {
  const std::vector<std::string>& fields = ChangeableArticleFields();
  std::vector<std::string> others;
  for (int i = 0; i < v1::Article::descriptor()->field_count(); ++i) {
    const std::string name(v1::Article::descriptor()->field(i)->name());
    if (std::find(fields.begin(), fields.end(), name) == fields.end()) others.push_back(name);
  }
  EXPECT_THAT(others, ::testing::ElementsAre("name", "update_time", "sections", "word_count",
                                             "comment_count", "revision", "etag"));
}

TEST(Rules, RefuseLongRunsOfMarksInEveryText) {
  constexpr char kProblem[] = " has more than 30 combining marks in a row";
  const std::string text = absl::StrCat("a", Repeat("\u0316", 31), "b");
  EXPECT_EQ(ArticleWith([](v1::Article& article) {
              article.set_body(absl::StrCat("a", Repeat("\u0316", 30), "b"));
            }),
            "");
  const std::string problems = ArticleWith([&text](v1::Article& article) {
    article.set_title(text);
    article.set_summary(text);
    article.set_body(text);
    article.add_tags(text);
    article.set_source_uri(text);
    v1::Author& author = *article.add_authors();
    author.set_display_name(text);
    author.set_id(text);
    author.set_uri(text);
  });
  for (const char* field : {"title", "summary", "body", "tags[0]", "source_uri",
                            "authors[0].display_name", "authors[0].id", "authors[0].uri"}) {
    EXPECT_THAT(problems, ::testing::HasSubstr(absl::StrCat("article.", field, kProblem)));
  }
  EXPECT_EQ(CommentWith(text), absl::StrCat("comment.body", kProblem));
  Violations violations;
  CheckNameFilter(text, "tag", violations);
  EXPECT_EQ(violations.ToStatus().message(), absl::StrCat("tag", kProblem));
}

}  // namespace
}  // namespace content
