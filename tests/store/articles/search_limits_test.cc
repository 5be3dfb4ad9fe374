#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "store/articles/search_fixture.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

// For a phrase of one word repeated in a long text, ts_headline's choice of a passage takes
// gigabytes and minutes; for a conjunction, minutes.
TEST_F(SearchTest, IsQuickWhenWordsRepeat) {
  std::string body;
  for (int i = 0; i < 25'000; ++i) body += "whale ship ";
  body += "shark";
  Add("repeats", {.body = body});
  EXPECT_THAT(Find("\"whale whale\""), IsEmpty());
  const absl::Time start = absl::Now();
  EXPECT_THAT(SnippetOf("\"ship whale\""), HasSubstr("[whale] [ship] [whale]"));
  EXPECT_THAT(SnippetOf("whale ship"), HasSubstr("[whale] [ship] [whale]"));
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
}

TEST_F(SearchTest, PagesThroughEqualRanksWithoutGapOrRepetition) {
  std::set<std::string> expected;
  for (int i = 0; i < 23; ++i) {
    const std::string id = absl::StrCat("post-", i);
    Add(id, {.body = i % 3 == 0 ? "A whale." : "The whale and a whale swam."});
    expected.insert(ArticleName(id));
  }
  SearchQuery query{.text = "whale", .page_size = 4};
  std::vector<std::string> names;
  do {
    const auto page = Search(query);
    ASSERT_TRUE(page.ok()) << page.status();
    ASSERT_THAT(page->items, SizeIs(Le(4U)));
    for (const auto& result : page->items) names.push_back(result.article().name());
    query.after_key = page->next_key;
  } while (!query.after_key.empty());
  EXPECT_EQ(names.size(), expected.size());
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()), expected);
}

TEST_F(SearchTest, RanksTheNewestThousandMatches) {
  Add("oldest", {.title = "Whale"});
  Sql(R"sql(
    UPDATE article_search SET publish_time = '2000-01-01';
    INSERT INTO article_state (bucket, article_key, name, first_name, revision, comment_count,
                               comment_policy, publish_time, retracted, scheduled, feed_position,
                               published_position, ever_readable)
    SELECT i % 256, i, 'post-' || i, 'post-' || i, 1, 0, 1, '2001-01-01', false, false, 0, 0, true
    FROM generate_series(1, 1000) i;
    INSERT INTO article (bucket, article_key, text_revision, title, authors, update_time,
                         language_code, summary, body, sections, tags, source_uri, word_count)
    SELECT i % 256, i, 1, 'A title', '[]', now(), 'en', '', 'A whale.', '[]', '[]', '', 2
    FROM generate_series(1, 1000) i;
    INSERT INTO article_search (bucket, article_key, config, publish_time, search)
    SELECT i % 256, i, 'english', '2001-01-01',
           to_tsvector('english', 'A whale.') ||
           array_to_tsvector(ARRAY['config=english', 'language=en'])
    FROM generate_series(1, 1000) i)sql");
  SearchQuery query{.text = "whale", .page_size = 50};
  int found = 0;
  do {
    const auto page = Search(query);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& result : page->items) EXPECT_NE(result.article().name(), "articles/oldest");
    found += static_cast<int>(page->items.size());
    query.after_key = page->next_key;
  } while (!query.after_key.empty());
  EXPECT_EQ(found, 1000);
}

TEST_F(SearchTest, APageHasALimitedSize) {
  for (int i = 0; i < 9; ++i) {
    v1::Article article = MakeArticle(absl::StrCat("post-", i), "A whale.");
    for (int author = 0; author < 50; ++author) {
      auto* added = article.add_authors();
      added->set_display_name(absl::StrCat("Author ", author));
      for (int j = 0; j < 1990; ++j) absl::StrAppend(added->mutable_uri(), "\xF0\x9F\x90\x8B");
    }
    ASSERT_TRUE(Publish(article).ok());
  }
  SearchQuery query{.text = "whale", .page_size = 50};
  size_t found = 0;
  do {
    const auto page = Search(query);
    ASSERT_TRUE(page.ok()) << page.status();
    size_t bytes = 0;
    for (const auto& result : page->items) bytes += result.ByteSizeLong();
    EXPECT_LE(bytes, static_cast<size_t>(kMaxReplyBytes));
    found += page->items.size();
    query.after_key = page->next_key;
  } while (!query.after_key.empty());
  EXPECT_EQ(found, 9U);
}

// A distinct word of `characters` letters for each number.
std::string Word(size_t number, size_t characters, const std::vector<std::string>& letters) {
  std::string word;
  for (size_t i = 0; i < characters; ++i, number /= letters.size()) {
    word += letters[number % letters.size()];
  }
  return word;
}

TEST_F(SearchTest, IndexesTheLongestTextsOfDistinctWords) {
  std::vector<std::string> latin;
  for (char c = 'a'; c <= 'z'; ++c) latin.emplace_back(1, c);
  std::vector<std::string> cyrillic;  // two bytes each
  for (char c = 0; c < 16; ++c)
    cyrillic.push_back(std::string("\xD0") + static_cast<char>('\xB0' + c));
  std::vector<std::string> han;       // three bytes
  std::vector<std::string> rare_han;  // four
  for (int i = 0; i < 64; ++i) {
    han.push_back(std::string("\xE5\xA4") + static_cast<char>('\x80' + i));
    rare_han.push_back(std::string("\xF0\xA0\x80") + static_cast<char>('\x80' + i));
  }
  struct Case {
    const char* id;
    std::vector<std::string> letters;
    size_t characters;
    const char* separators;  // used in turn
  };
  const Case cases[] = {{"latin", latin, 4, " "},        {"latin-compounds", latin, 3, "- "},
                        {"cyrillic", cyrillic, 4, "- "}, {"han", han, 4, "- "},
                        {"short", rare_han, 2, "- "},    {"medium", rare_han, 4, "- "},
                        {"long", rare_han, 200, "- "},   {"chains", rare_han, 3, "-------- "},
                        {"paths", latin, 3, "/// "},     {"urls", latin, 4, ".// "}};
  for (const Case& text : cases) {
    std::string body;
    const size_t separators = std::string(text.separators).size();
    for (size_t i = 0; body.size() + 4 * text.characters + 1 < kMaxBodyBytes; ++i) {
      absl::StrAppend(&body, Word(i, text.characters, text.letters));
      body += text.separators[i % separators];
    }
    std::string title;
    for (size_t i = 0; i < 75; ++i) title += Word(i * i, 4, text.letters);
    Add(text.id, {.title = title, .body = body, .language = ""});
    EXPECT_THAT(Find(title), Contains(text.id));
  }
}

}  // namespace
}  // namespace content::store
