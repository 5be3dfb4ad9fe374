#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cache/article_cache.h"
#include "content/article.h"
#include "content/changes.h"
#include "support/fakes/scripted_article_source.h"
#include "unit/cache/maintenance_clock.h"

// The fixture of the cache's tests. The cache is filled from a ScriptedArticleSource, so each test
// determines when, in which order and with what the database answers.
namespace content::cache {

inline constexpr v1::ArticleView kBasic = v1::ARTICLE_VIEW_BASIC;
inline constexpr v1::ArticleView kFull = v1::ARTICLE_VIEW_FULL;

// An article whose text is its id and version, with as many comments as revisions.
inline EncodedArticle MakeArticle(const std::string& id, int64_t revision, int64_t version = 1) {
  const std::string basic = absl::StrCat(id, " v", version);
  return {.state = {.article_id = id,
                    .revision = revision,
                    .comment_count = revision,
                    .version = version},
          .text = std::make_shared<const std::string>(absl::StrCat(basic, " with body")),
          .basic_size = basic.size(),
          .full = true};
}

inline ChangeNotice MakeNotice(const std::string& id, int64_t revision, int64_t version = 1) {
  return {.state = MakeArticle(id, revision, version).state, .name = id};
}

// An article of `size` bytes, in a string that has twice the memory.
inline EncodedArticle MakeArticleOfSize(const std::string& id, size_t size) {
  EncodedArticle article = MakeArticle(id, 5);
  std::string text;
  text.reserve(2 * size);
  text.append(size, 'x');
  article.text = std::make_shared<const std::string>(std::move(text));
  return article;
}

inline std::string MakeId(int number) {
  return absl::StrCat("an-article-with-a-readable-name-", number);
}

inline std::string Show(const ArticleAnswer& article) {
  return absl::StrCat(article.text->substr(0, article.size), ", r", article.revision, " c",
                      article.comment_count);
}

inline std::string ShowAge(const std::optional<absl::Duration>& age) {
  return age ? absl::StrCat(", ", absl::FormatDuration(*age), " old") : "";
}

inline std::string Show(const absl::StatusOr<ArticleAnswer>& answer) {
  if (!answer.ok()) return std::string(answer.status().message());
  return absl::StrCat(Show(*answer), ShowAge(answer->stale_age));
}

inline std::string Show(const absl::StatusOr<PageAnswer>& answer) {
  if (!answer.ok()) return std::string(answer.status().message());
  return absl::StrCat(*answer->bytes,
                      answer->article ? absl::StrCat(" of ", Show(*answer->article)) : "",
                      ShowAge(answer->stale_age));
}

// A caller of the cache, who may not have been answered yet.
class Reader {
 public:
  template <class T>
  Callback<T> Done() {
    return [promise = promise_](absl::StatusOr<T> answer) { promise->set_value(Show(answer)); };
  }

  bool waits() const {
    return future_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
  }

  // The answer, which must have been given.
  std::string answer() const { return waits() ? "no answer" : future_.get(); }

  // The answer, which comes from another thread.
  std::string Await() const { return future_.get(); }

 private:
  std::shared_ptr<std::promise<std::string>> promise_ =
      std::make_shared<std::promise<std::string>>();
  std::shared_future<std::string> future_ = promise_->get_future().share();
};

class CacheFixture : public ::testing::Test {
 protected:
  // A warm article is due for a confirmation once this much time has passed.
  static constexpr absl::Duration kDue = absl::Milliseconds(701);

  void TearDown() override {
    source_.AnswerAtOnce(absl::UnknownError("over"));
    FailAll();
  }

  // Answers all open calls.
  void FailAll() {
    for (const std::string& what : source_.open()) source_.Answer(what, absl::UnknownError("over"));
  }

  ArticleCache& cache() {
    if (!cache_) cache_ = std::make_unique<ArticleCache>(source_, options_);
    return *cache_;
  }

  Reader Get(const std::string& id, v1::ArticleView view = kFull, int64_t min_revision = 0,
             CallContext context = {}) {
    Reader reader;
    cache().GetArticle(std::move(context), id, view, min_revision, reader.Done<ArticleAnswer>());
    return reader;
  }

  Reader GetPage(const std::string& id, const std::string& key,
                 std::optional<v1::ArticleView> view = {}, int64_t min_revision = 0) {
    Reader reader;
    cache().GetPage({}, {.article_id = id, .key = key, .min_revision = min_revision, .view = view},
                    source_.Loader(key, view), reader.Done<PageAnswer>());
    return reader;
  }

  // Makes the cache learn an article.
  void Load(const EncodedArticle& article, v1::ArticleView view = kFull) {
    const std::string& id = article.state.article_id;
    const Reader reader = Get(id, view);
    source_.Answer(absl::StrCat(view == kFull ? "full " : "basic ", id), article);
    ASSERT_FALSE(reader.waits());
  }

  void LoadPage(const EncodedArticle& article, const std::string& key,
                std::optional<v1::ArticleView> view = {}) {
    const Reader reader = GetPage(article.state.article_id, key, view);
    source_.Answer(absl::StrCat("page ", key), article);
    ASSERT_FALSE(reader.waits());
  }

  // Makes a new cache learn an article and confirm it ahead of time, `confirmations` times.
  void LoadWarm(const std::string& id, uint8_t confirmations) {
    options_.confirmations_ahead = confirmations;
    Load(MakeArticle(id, 5));
    Get(id);
  }

  // Reads each of `count` articles of `size` bytes twice.
  void ReadTwice(int count, size_t size) {
    for (int i = 0; i < count; ++i) {
      source_.AnswerAtOnce(MakeArticleOfSize(MakeId(i), size));
      Get(MakeId(i));
      Get(MakeId(i));
    }
    source_.AnswerAtOnce(std::nullopt);
  }

  void Pass(absl::Duration duration) { clock_.Advance(duration); }

  // Returns when the maintenance thread has visited everything once more.
  void RunMaintenance() {
    cache();
    clock_.RunMaintenance();
  }

  // Takes the question that maintenance asks, which must be `what`.
  testing::ScriptedCall TakeConfirmation(const std::string& what) {
    RunMaintenance();
    return source_.Take(what);
  }

  void ExpectNothingIsConfirmed() {
    RunMaintenance();
    EXPECT_THAT(source_.open(), ::testing::IsEmpty());
  }

  MaintenanceClock clock_;
  testing::ScriptedArticleSource source_{clock_};
  ArticleCache::Options options_{.max_bytes = 1 << 20,
                                 .max_staleness = absl::Seconds(1),
                                 .stale_if_error = absl::Minutes(1),
                                 .confirmations_ahead = 0,
                                 .clock = clock_};
  std::unique_ptr<ArticleCache> cache_;
};

}  // namespace content::cache
