// BatchGetArticles over a cache that answers when the test tells it to.

#include "api/batch_of_articles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/articles.h"
#include "api/decode.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "support/fake_clock.h"

namespace content::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ArticleAnswer MakeAnswer(const std::string& id, size_t body_size = 0) {
  v1::Article article;
  article.set_name(ArticleName(id));
  article.set_body(std::string(body_size, 'x'));
  ArticleAnswer answer;
  answer.text = std::make_shared<const std::string>(article.SerializeAsString());
  answer.size = answer.text->size();
  return answer;
}

// Answers at once what is in `cached`; a test answers the other questions.
class ScriptedCache final : public ReadCache {
 public:
  struct Question {
    std::string id;
    CallContext context;
    Callback<ArticleAnswer> done;
  };

  void GetArticle(CallContext context, std::string id, v1::ArticleView, int64_t,
                  Callback<ArticleAnswer> done) override {
    ++asked;
    if (const auto known = cached.find(id); known != cached.end()) {
      std::move(done)(known->second);
    } else {
      questions.push_back({std::move(id), std::move(context), std::move(done)});
    }
    if (after_question) after_question();
  }

  void GetPage(CallContext, PageRequest, LoadPage, Callback<PageAnswer>) override { ADD_FAILURE(); }

  v1::CacheInfo GetInfo() override { return {}; }

  void Answer(size_t question, absl::StatusOr<ArticleAnswer> answer) {
    std::move(questions[question].done)(std::move(answer));
  }

  std::map<std::string, absl::StatusOr<ArticleAnswer>> cached;
  std::vector<Question> questions;
  size_t asked = 0;
  std::function<void()> after_question = {};
};

class BatchOfArticlesTest : public ::testing::Test {
 protected:
  void Get(const std::vector<std::string>& ids, bool allow_missing = false, CallContext call = {}) {
    v1::BatchGetArticlesRequest request;
    for (const std::string& id : ids) request.add_names(ArticleName(id));
    request.set_allow_missing(allow_missing);
    api::BatchGetArticles(cache_, std::move(call), request,
                          [this](absl::StatusOr<EncodedAnswer> answer) {
                            EXPECT_FALSE(answer_) << "answered twice";
                            answer_ = std::move(answer);
                          });
  }

  // With `cached_count` of three articles cached, and a caller who gives up after `asked` of them
  // were asked for.
  void GetAndCancelAfter(size_t asked, size_t cached_count) {
    const std::vector<std::string> ids = {"a", "b", "c"};
    cache_.cached.clear();
    for (size_t i = 0; i < cached_count; ++i) cache_.cached.insert({ids[i], MakeAnswer(ids[i])});
    cache_.questions.clear();
    cache_.asked = 0;
    answer_.reset();
    Get(ids, false, {.cancelled = [this, asked] { return cache_.asked >= asked; }});
  }

  absl::Status status() const { return answer_ ? answer_->status() : absl::UnknownError("waits"); }

  v1::BatchGetArticlesResponse Response() const {
    v1::BatchGetArticlesResponse response;
    if (!status().ok()) {
      ADD_FAILURE() << status();
      return response;
    }
    std::string bytes;
    std::vector<grpc::Slice> slices;
    EXPECT_TRUE(Encode(**answer_).Dump(&slices).ok());
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    EXPECT_TRUE(response.ParseFromString(bytes));
    return response;
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    const v1::BatchGetArticlesResponse response = Response();
    for (const v1::Article& article : response.articles()) names.push_back(article.name());
    return names;
  }

  ScriptedCache cache_;
  std::optional<absl::StatusOr<EncodedAnswer>> answer_;
};

TEST_F(BatchOfArticlesTest, OnlyASingleArticleMayBeReadOnTheCallingThread) {
  Get({"a", "b"});
  v1::GetArticleRequest single;
  single.set_name(ArticleName("c"));
  api::GetArticle(cache_, {}, single, [](const absl::StatusOr<EncodedAnswer>&) {});
  ASSERT_EQ(cache_.questions.size(), 3U);
  EXPECT_FALSE(cache_.questions[0].context.may_run_here) << "they would not share a statement";
  EXPECT_FALSE(cache_.questions[1].context.may_run_here);
  EXPECT_TRUE(cache_.questions[2].context.may_run_here);
  for (size_t i = 0; i < 3; ++i) cache_.Answer(i, MakeAnswer("a"));
}

TEST_F(BatchOfArticlesTest, ReadsAreOfTheCallersAccountUntilTheCallIsAnswered) {
  Get({"a", "b"}, false, {.account_of = [] { return Account{7}; }});
  ASSERT_EQ(cache_.questions.size(), 2U);
  EXPECT_EQ(cache_.questions[0].context.account(), 7);
  EXPECT_EQ(cache_.questions[1].context.account(), 7);
  cache_.Answer(0, Overloaded(absl::Seconds(1)));
  EXPECT_EQ(cache_.questions[1].context.account(), kOwnWork);
  cache_.Answer(1, MakeAnswer("b"));
}

TEST_F(BatchOfArticlesTest, KeepsTheOrderOfTheRequestWhateverTheOrderOfAnswers) {
  cache_.cached.insert({"b", MakeAnswer("b")});
  Get({"c", "a", "b", "c"});
  ASSERT_EQ(cache_.questions.size(), 3U);
  cache_.Answer(2, MakeAnswer("c"));
  cache_.Answer(1, MakeAnswer("a"));
  EXPECT_EQ(status().message(), "waits");
  cache_.Answer(0, MakeAnswer("c"));
  EXPECT_THAT(Names(), ElementsAre("articles/c", "articles/a", "articles/b", "articles/c"));
}

TEST_F(BatchOfArticlesTest, NamesMissingArticlesInTheOrderOfTheRequest) {
  cache_.cached.insert({"y", ArticleNotFound("articles/y")});
  Get({"x", "a", "y", "x"}, true);
  cache_.Answer(2, ArticleNotFound("articles/x"));
  cache_.Answer(1, MakeAnswer("a"));
  cache_.Answer(0, ArticleNotFound("articles/x"));
  EXPECT_THAT(Names(), ElementsAre("articles/a"));
  EXPECT_THAT(Response().missing_names(), ElementsAre("articles/x", "articles/y", "articles/x"));
}

TEST_F(BatchOfArticlesTest, FailsForTheFirstMissingArticle) {
  Get({"a", "x", "y"});
  cache_.Answer(2, ArticleNotFound("articles/y"));
  cache_.Answer(0, MakeAnswer("a"));
  cache_.Answer(1, ArticleNotFound("articles/x"));
  EXPECT_EQ(status().message(), "articles/x does not exist");
}

TEST_F(BatchOfArticlesTest, FailsAtOnceWithAnyOtherErrorAndAsksForNoMore) {
  cache_.cached.insert({"b", Overloaded(absl::Seconds(1))});
  Get({"a", "b", "c"}, true);
  EXPECT_EQ(ReasonOf(status()), "OVERLOADED");
  ASSERT_EQ(cache_.questions.size(), 1U);
  EXPECT_TRUE(cache_.questions[0].context.cancelled());
  cache_.Answer(0, MakeAnswer("a"));  // ignored
}

TEST_F(BatchOfArticlesTest, MayBeAsLargeAsAReply) {
  const ArticleAnswer large = MakeAnswer("a", 1 << 20);
  const size_t left = kMaxReplyBytes - 2 * large.size;
  ArticleAnswer last = MakeAnswer("a", 1000);
  last = MakeAnswer("a", left - (last.size - 1000) - 1);  // The longer length takes one more byte.
  ASSERT_EQ(2 * large.size + last.size, kMaxReplyBytes);
  Get({"a", "b", "c"});
  cache_.Answer(0, large);
  cache_.Answer(1, large);
  cache_.Answer(2, last);
  EXPECT_EQ(Response().articles_size(), 3);
}

TEST_F(BatchOfArticlesTest, FailsAsSoonAsItIsTooLarge) {
  const ArticleAnswer large = MakeAnswer("a", 1 << 20);
  Get({"a", "b", "c", "d"});
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(status().message(), "waits");
    cache_.Answer(i, large);
  }
  EXPECT_EQ(ReasonOf(status()), "REPLY_TOO_LARGE");
  EXPECT_TRUE(cache_.questions[3].context.cancelled());
  cache_.Answer(3, large);  // ignored
}

TEST_F(BatchOfArticlesTest, IsAsStaleAsItsOldestArticle) {
  ArticleAnswer stale = MakeAnswer("a");
  stale.stale_age = absl::Seconds(7);
  ArticleAnswer older = MakeAnswer("b");
  older.stale_age = absl::Seconds(9);
  cache_.cached.insert({"a", stale});
  cache_.cached.insert({"b", older});
  cache_.cached.insert({"c", MakeAnswer("c")});
  Get({"a", "b", "c"});
  ASSERT_TRUE(status().ok());
  EXPECT_EQ((*answer_)->stale_age, absl::Seconds(9));
}

TEST_F(BatchOfArticlesTest, IsEmptyIfNoArticleExists) {
  cache_.cached.insert({"x", ArticleNotFound("articles/x")});
  Get({"x"}, true);
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_THAT(Response().missing_names(), ElementsAre("articles/x"));
}

// ---- A caller who gives up ----

TEST_F(BatchOfArticlesTest, IsAnsweredIfTheCallerGaveUpBeforeAnyArticleWasAskedFor) {
  for (size_t cached_count = 0; cached_count <= 3; ++cached_count) {
    GetAndCancelAfter(0, cached_count);
    EXPECT_EQ(status().code(), absl::StatusCode::kCancelled);
    EXPECT_EQ(cache_.asked, 0U);
  }
}

TEST_F(BatchOfArticlesTest, IsAnsweredIfTheCallerGivesUpBetweenTwoArticles) {
  for (size_t cached_count = 0; cached_count <= 3; ++cached_count) {
    for (size_t asked = 1; asked < 3; ++asked) {
      GetAndCancelAfter(asked, cached_count);
      EXPECT_EQ(status().code(), absl::StatusCode::kCancelled);
      EXPECT_EQ(cache_.asked, asked);
      for (size_t i = 0; i < cache_.questions.size(); ++i) {
        EXPECT_TRUE(cache_.questions[i].context.is_cancelled());
        cache_.Answer(i, MakeAnswer("a"));  // ignored
      }
    }
  }
}

TEST_F(BatchOfArticlesTest, IsAnsweredIfTheCallerGivesUpAfterTheLastArticle) {
  GetAndCancelAfter(3, 3);
  EXPECT_TRUE(status().ok()) << "everything was there by then";
  for (size_t cached_count = 0; cached_count < 3; ++cached_count) {
    GetAndCancelAfter(3, cached_count);
    EXPECT_EQ(status().message(), "waits");
    EXPECT_TRUE(cache_.questions[0].context.is_cancelled());
    cache_.Answer(0, Cancelled());
    EXPECT_EQ(status().code(), absl::StatusCode::kCancelled);
  }
}

TEST_F(BatchOfArticlesTest, IsAnsweredIfItsDeadlinePassedBeforeAnyArticleWasAskedFor) {
  cache_.cached.insert({"a", MakeAnswer("a")});
  Get({"a"}, false, {.deadline = SteadyTime::InfinitePast()});
  EXPECT_EQ(ReasonOf(status()), "DEADLINE_EXCEEDED");
  EXPECT_EQ(cache_.asked, 0U);
}

TEST_F(BatchOfArticlesTest, IsAnsweredIfItsDeadlinePassesBetweenTwoArticles) {
  for (const char* id : {"a", "b", "c"}) cache_.cached.insert({id, MakeAnswer(id)});
  testing::FakeClock clock;
  cache_.after_question = [&clock] { clock.Advance(absl::Milliseconds(5)); };
  absl::Status status;
  ReadBatch(
      cache_, {.deadline = clock.Now() + absl::Milliseconds(5)}, {"a", "b", "c"},
      v1::ARTICLE_VIEW_FULL, [&status](const auto& answer) { status = answer.status(); }, clock);
  EXPECT_EQ(ReasonOf(status), "DEADLINE_EXCEEDED");
  EXPECT_EQ(cache_.asked, 1U);
}

TEST_F(BatchOfArticlesTest, IsAnsweredIfAReadIsDropped) {
  Get({"a", "b"});
  cache_.questions.pop_back();
  EXPECT_EQ(ReasonOf(status()), "INTERNAL");
}

}  // namespace
}  // namespace content::api
