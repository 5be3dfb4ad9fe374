// The cache on a source that answers when the test says so: what the store answers is for store and
// e2e.

#include "cache/cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "cache/memory.h"
#include "content/errors.h"

namespace content::cache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr v1::ArticleView kBasic = v1::ARTICLE_VIEW_BASIC;
constexpr v1::ArticleView kFull = v1::ARTICLE_VIEW_FULL;

// An article whose text says its version, and that has as many comments as revisions.
EncodedArticle MakeArticle(const std::string& id, int64_t revision, int64_t version = 1) {
  const std::string basic = absl::StrCat(id, " v", version);
  return {.state = {.article_id = id,
                    .revision = revision,
                    .comment_count = revision,
                    .version = version},
          .text = std::make_shared<const std::string>(absl::StrCat(basic, " with body")),
          .basic_size = basic.size(),
          .full = true};
}

ChangeNotice MakeNews(const std::string& id, int64_t revision, int64_t version = 1) {
  return {.state = MakeArticle(id, revision, version).state, .name = id};
}

EncodedArticle InView(EncodedArticle article, v1::ArticleView view) {
  if (view == kFull) return article;
  article.text = std::make_shared<const std::string>(article.text->substr(0, article.basic_size));
  article.full = false;
  return article;
}

std::string Id(int number) { return absl::StrCat("an-article-with-a-readable-name-", number); }

EncodedArticle ArticleOf(const std::string& id, size_t size) {
  EncodedArticle article = MakeArticle(id, 5);
  std::string text;  // that takes more than it needs
  text.reserve(2 * size);
  text.append(size, 'x');
  article.text = std::make_shared<const std::string>(std::move(text));
  return article;
}

using Answered = absl::StatusOr<std::optional<EncodedArticle>>;

// Something the source was asked: `what` is "state ID", "states ID ID", "basic ID", "full ID" or
// "page KEY".
class Question {
 public:
  Question(std::string what_, CallContext context_, absl::AnyInvocable<void(Answered) &&> done)
      : what(std::move(what_)), context(std::move(context_)), done_(std::move(done)) {}
  Question(Question&& other) noexcept
      : what(std::move(other.what)),
        context(std::move(other.context)),
        done_(std::exchange(other.done_, nullptr)) {}
  Question& operator=(Question&&) = delete;

  // A cache waits for every answer.
  ~Question() {
    if (done_) Answer(absl::UnknownError("never answered"));
  }

  // The article as it is; nothing: that there is none. (For states, that of each.)
  void Answer(Answered answer) { std::exchange(done_, nullptr)(std::move(answer)); }

  const std::string what;
  const CallContext context;

 private:
  absl::AnyInvocable<void(Answered) &&> done_;
};

class ScriptedSource final : public ArticleSource {
 public:
  ~ScriptedSource() override { EXPECT_FALSE(sink_) << "still subscribed"; }

  void ReadArticle(CallContext context, std::string id, v1::ArticleView view,
                   Callback<std::optional<EncodedArticle>> done) override {
    auto answer = [view, done = std::move(done)](Answered article) mutable {
      if (article.ok() && *article) *article = InView(**article, view);
      std::move(done)(std::move(article));
    };
    Keep({absl::StrCat(view == kFull ? "full " : "basic ", id), std::move(context),
          std::move(answer)});
  }

  void ReadArticleState(CallContext context, std::string id,
                        Callback<std::optional<ArticleState>> done) override {
    auto answer = [done = std::move(done)](Answered article) mutable {
      if (!article.ok()) return std::move(done)(article.status());
      if (!*article) return std::move(done)(std::nullopt);
      std::move(done)((*article)->state);
    };
    Keep({absl::StrCat("state ", id), std::move(context), std::move(answer)});
  }

  void ReadArticleStates(CallContext context, std::vector<std::string> ids,
                         Callback<std::vector<std::optional<ArticleState>>> done) override {
    std::vector<std::string> sorted = ids;
    std::sort(sorted.begin(), sorted.end());
    auto answer = [ids = std::move(ids), done = std::move(done)](Answered article) mutable {
      if (!article.ok()) return std::move(done)(article.status());
      std::vector<std::optional<ArticleState>> states(ids.size());
      for (size_t i = 0; *article && i < ids.size(); ++i) {
        states[i] = (*article)->state;
        states[i]->article_id = ids[i];
      }
      std::move(done)(std::move(states));
    };
    Keep({absl::StrCat("states ", absl::StrJoin(sorted, " ")), std::move(context),
          std::move(answer)});
  }

  // Makes a page that says what it is of.
  LoadPage Loader(const std::string& key, std::optional<v1::ArticleView> view = {}) {
    return [this, key, view](CallContext context, Callback<LoadedPage> done) {
      auto answer = [key, view, done = std::move(done)](Answered article) mutable {
        if (!article.ok()) return std::move(done)(article.status());
        if (!*article) return std::move(done)(ArticleNotFound("articles/of-the-page"));
        LoadedPage page{.state = (*article)->state,
                        .bytes = std::make_shared<const std::string>(
                            absl::StrCat(key, " at ", (*article)->state.revision))};
        if (view) page.article = InView(**article, *view);
        std::move(done)(std::move(page));
      };
      Keep({absl::StrCat("page ", key), std::move(context), std::move(answer)});
    };
  }

  std::unique_ptr<Subscription> Subscribe(ChangeListener sink) override {
    SetSink(std::move(sink));
    return std::make_unique<Subscriber>(*this);
  }

  void Tell(const ChangeNotice& news) {
    const std::lock_guard lock(mutex_);
    sink_(news);
  }

  // Answers everything on the spot with this from now on; nothing: keeps it.
  void AnswerAtOnce(std::optional<Answered> answer) {
    const std::lock_guard lock(mutex_);
    at_once_ = std::move(answer);
  }

  // What has been asked and not been taken.
  std::vector<std::string> open() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> open;
    for (const Question& question : questions_) open.push_back(question.what);
    return open;
  }

  // Takes the oldest of them, which must be this one.
  Question Take(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (questions_.empty() || questions_.front().what != what) return NotAsked(what);
    return TakeFirst();
  }

  // The same for what another thread asks.
  Question Await(const std::string& what) {
    Question question = AwaitAny();
    EXPECT_EQ(question.what, what);
    return question;
  }

  Question AwaitAny() {
    std::unique_lock lock(mutex_);
    const auto is_asked = [this] { return !questions_.empty(); };
    if (asked_.wait_for(lock, std::chrono::seconds(30), is_asked)) return TakeFirst();
    return NotAsked("anything");
  }

  void Answer(const std::string& what, Answered answer) { Take(what).Answer(std::move(answer)); }

 private:
  struct Subscriber final : Subscription {
    explicit Subscriber(ScriptedSource& source_) : source(source_) {}
    ~Subscriber() override { source.SetSink(nullptr); }
    ScriptedSource& source;
  };

  void SetSink(ChangeListener sink) {
    const std::lock_guard lock(mutex_);
    sink_ = std::move(sink);
  }

  Question NotAsked(const std::string& what) {
    ADD_FAILURE() << what << " has not been asked, but "
                  << (questions_.empty() ? "nothing" : questions_.front().what);
    return {"", {}, [](const Answered&) {}};
  }

  Question TakeFirst() {
    Question question = std::move(questions_.front());
    questions_.pop_front();
    return question;
  }

  void Keep(Question question) {
    std::unique_lock lock(mutex_);
    if (!at_once_) {
      questions_.push_back(std::move(question));
      asked_.notify_one();
      return;
    }
    Answered answer = *at_once_;
    lock.unlock();
    question.Answer(std::move(answer));
  }

  std::mutex mutex_;
  ChangeListener sink_;
  std::deque<Question> questions_;
  std::condition_variable asked_;
  std::optional<Answered> at_once_;
};

std::string Show(const ArticleAnswer& article) {
  return absl::StrCat(article.text->substr(0, article.size), ", r", article.revision, " c",
                      article.comment_count);
}

std::string ShowAge(const std::optional<absl::Duration>& age) {
  return age ? absl::StrCat(", ", absl::FormatDuration(*age), " old") : "";
}

std::string Show(const absl::StatusOr<ArticleAnswer>& answer) {
  if (!answer.ok()) return std::string(answer.status().message());
  return absl::StrCat(Show(*answer), ShowAge(answer->stale_age));
}

std::string Show(const absl::StatusOr<PageAnswer>& answer) {
  if (!answer.ok()) return std::string(answer.status().message());
  return absl::StrCat(*answer->bytes,
                      answer->article ? absl::StrCat(" of ", Show(*answer->article)) : "",
                      ShowAge(answer->stale_age));
}

// An answer that may not have been given yet.
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

class CacheTest : public ::testing::Test {
 protected:
  void TearDown() override {
    source_.AnswerAtOnce(absl::UnknownError("over"));
    FailAll();
  }

  // Answers all that has been asked.
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
                 std::optional<v1::ArticleView> view = {}, int64_t min_revision = 0,
                 CallContext context = {}) {
    Reader reader;
    cache().GetPage(std::move(context),
                    {.article_id = id, .key = key, .min_revision = min_revision, .view = view},
                    source_.Loader(key, view), reader.Done<PageAnswer>());
    return reader;
  }

  // Has the cache know this article.
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

  // Returns when the cache has looked for those whose flight takes too long, and for what is to be
  // confirmed: it has found one who is gone. Leaves "full nowhere" open.
  void LookAround() { Get("nowhere", kFull, 0, {.deadline = SteadyTime::InfinitePast()}).Await(); }

  // Has the cache, which must be a new one, know this article and confirm it ahead of time so
  // often.
  void LoadWarm(const std::string& id, uint8_t confirmations) {
    options_.confirmations_ahead = confirmations;
    Load(MakeArticle(id, 5));
    Get(id);
  }

  void ExpectNothingIsConfirmed() {
    LookAround();
    EXPECT_THAT(source_.open(), ElementsAre("full nowhere"));
  }

  // So many articles, each of so many bytes.
  void ReadTwice(int articles, size_t bytes);

  void Pass(absl::Duration time) { clock_ += absl::ToInt64Nanoseconds(time); }

  // After which what is to be confirmed ahead of time is.
  static constexpr absl::Duration kDue = absl::Milliseconds(701);

  ScriptedSource source_;
  std::atomic<int64_t> clock_ = 1'000'000'000'000;
  ArticleCache::Options options_{
      .max_bytes = 1 << 20,
      .max_staleness = absl::Seconds(1),
      .stale_if_error = absl::Minutes(1),
      .confirmations_ahead = 0,  // by another thread
      .clock = [this] { return SteadyTime() + absl::Nanoseconds(clock_.load()); }};
  std::unique_ptr<ArticleCache> cache_;
};

// ---- What is fresh ----

TEST_F(CacheTest, AnswersFromMemoryWhatIsFresh) {
  const Reader first = Get("a");
  EXPECT_TRUE(first.waits());
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(first.answer(), "a v1 with body, r5 c5");
  Pass(absl::Seconds(1));
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5");
  EXPECT_EQ(Get("a", kBasic).answer(), "a v1, r5 c5");
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(CacheTest, AsksOnlyForTheStateOfWhatHasExpired) {
  Load(MakeArticle("a", 5));
  Pass(absl::Milliseconds(1001));
  const Reader reader = Get("a");
  EXPECT_TRUE(reader.waits());
  source_.Answer("state a", MakeArticle("a", 6));
  EXPECT_EQ(reader.answer(), "a v1 with body, r6 c6");
  Pass(absl::Seconds(1));
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r6 c6");
}

TEST_F(CacheTest, LoadsTheTextOfAnotherVersion) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(2));
  const Reader reader = Get("a");
  source_.Answer("state a", MakeArticle("a", 6, 2));
  EXPECT_TRUE(reader.waits());
  source_.Answer("full a", MakeArticle("a", 6, 2));
  EXPECT_EQ(reader.answer(), "a v2 with body, r6 c6");
}

TEST_F(CacheTest, CountsTheAgeFromBeforeTheQuestionWasSent) {
  const Reader reader = Get("a");
  Question question = source_.Take("full a");
  Pass(absl::Milliseconds(400));
  question.Answer(MakeArticle("a", 5));
  Pass(absl::Milliseconds(601));
  const Reader late = Get("a");
  EXPECT_TRUE(late.waits());
}

TEST_F(CacheTest, KeepsOneViewAndServesIt) {
  Load(MakeArticle("a", 5), kBasic);
  EXPECT_EQ(Get("a", kBasic).answer(), "a v1, r5 c5");
  const Reader full = Get("a", kFull);
  EXPECT_TRUE(full.waits());
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(full.answer(), "a v1 with body, r5 c5");
  EXPECT_EQ(Get("a", kBasic).answer(), "a v1, r5 c5");
}

TEST_F(CacheTest, ABasicViewDoesNotReplaceAFullOne) {
  const Reader basic = Get("a", kBasic);
  const Reader full = Get("a", kFull);
  Question basic_question = source_.Take("basic a");
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(full.answer(), "a v1 with body, r5 c5");
  basic_question.Answer(MakeArticle("a", 5));
  EXPECT_EQ(basic.answer(), "a v1, r5 c5");
  EXPECT_EQ(Get("a", kFull).answer(), "a v1 with body, r5 c5");
}

// ---- Flights ----

TEST_F(CacheTest, ARushIsOneQuestion) {
  std::vector<Reader> readers;
  for (int i = 0; i < 100; ++i) readers.push_back(Get("a", i % 2 == 0 ? kFull : kBasic));
  EXPECT_THAT(source_.open(), ElementsAre("full a"));
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(readers[98].answer(), "a v1 with body, r5 c5");
  EXPECT_EQ(readers[99].answer(), "a v1, r5 c5");
}

TEST_F(CacheTest, ARushOnAMissingArticleIsOneQuestion) {
  const Reader one = Get("a");
  const Reader two = Get("a");
  source_.Answer("full a", std::nullopt);
  EXPECT_EQ(one.answer(), "articles/a does not exist");
  EXPECT_EQ(two.answer(), "articles/a does not exist");
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(CacheTest, WhoJoinsAFlightThatBeganTooLongAgoWaitsForAnother) {
  const Reader early = Get("a");
  Question question = source_.Take("full a");
  Pass(absl::Seconds(2));
  const Reader late = Get("a");
  EXPECT_THAT(source_.open(), IsEmpty());
  question.Answer(MakeArticle("a", 5));
  EXPECT_EQ(early.answer(), "a v1 with body, r5 c5");
  EXPECT_TRUE(late.waits());
  source_.Answer("state a", MakeArticle("a", 6));
  EXPECT_EQ(late.answer(), "a v1 with body, r6 c6");
}

TEST_F(CacheTest, ErrorsGoToThoseWhoWaitAndAreNotKept) {
  Get("b");
  source_.Answer("full b", absl::InternalError("broken"));
  const int64_t empty = cache().GetInfo().byte_count();
  const Reader one = Get("a");
  const Reader two = Get("a");
  source_.Answer("full a", absl::InternalError("broken"));
  EXPECT_EQ(one.answer(), "broken");
  EXPECT_EQ(two.answer(), "broken");
  EXPECT_EQ(cache().GetInfo().byte_count(), empty);
  const Reader three = Get("a");
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(three.answer(), "a v1 with body, r5 c5");
}

TEST_F(CacheTest, ASourceMayAnswerOnTheSpotAndACallbackReadAgain) {
  source_.AnswerAtOnce(MakeArticle("a", 5));
  Reader inner;
  cache().GetArticle({}, "a", kFull, 0, [&](const absl::StatusOr<ArticleAnswer>&) {
    cache().GetArticle({}, "a", kBasic, 0, inner.Done<ArticleAnswer>());
  });
  EXPECT_EQ(inner.answer(), "a v1, r5 c5");
}

TEST_F(CacheTest, WaitsForItsQuestionsWhenItEnds) {
  LoadWarm("a", 1);
  Pass(kDue);
  Question question = source_.Await("states a");
  EXPECT_FALSE(question.context.cancelled());
  std::atomic<bool> answered = false;
  std::thread answering([&] {
    while (!question.context.cancelled()) std::this_thread::yield();
    answered = true;
    question.Answer(Cancelled());
  });
  cache_ = nullptr;
  EXPECT_TRUE(answered);
  answering.join();
}

// ---- What is confirmed ahead of time ----

TEST_F(CacheTest, WhatIsReadAgainIsConfirmedAheadOfTimeSomeTimesMore) {
  LoadWarm("a", 2);
  for (const int revision : {6, 7}) {
    Pass(kDue);
    source_.Await("states a").Answer(MakeArticle("a", revision));
  }
  Pass(kDue);
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r7 c7");  // and so it starts over
  for (const int revision : {8, 9}) {
    source_.Await("states a").Answer(MakeArticle("a", revision));
    Pass(kDue);
  }
  ExpectNothingIsConfirmed();
}

TEST_F(CacheTest, WhatIsReadOnceIsNot) {
  options_.confirmations_ahead = 2;
  Load(MakeArticle("a", 5));
  Pass(kDue);
  ExpectNothingIsConfirmed();
}

TEST_F(CacheTest, WhatIsReadWhenItIsOldIsNot) {
  options_.confirmations_ahead = 2;
  Load(MakeArticle("a", 5));
  Pass(absl::Milliseconds(1001));
  Get("a");
  source_.Answer("state a", MakeArticle("a", 6));
  Pass(kDue);
  ExpectNothingIsConfirmed();
}

TEST_F(CacheTest, ManyAreConfirmedByOneQuestion) {
  options_.confirmations_ahead = 1;
  for (const char* id : {"a", "b", "c"}) {
    Load(MakeArticle(id, 5));
    Get(id);
  }
  Pass(kDue / 2);
  Load(MakeArticle("d", 5));
  Get("d");
  Pass(kDue / 2);
  source_.Await("states a b c").Answer(MakeArticle("any", 6));
  for (const char* id : {"a", "b", "c"}) {
    EXPECT_EQ(Get(id).answer(), absl::StrCat(id, " v1 with body, r6 c6"));
  }
}

TEST_F(CacheTest, NothingIsConfirmedAheadOfTimeTooEarly) {
  LoadWarm("a", 2);
  Pass(absl::Milliseconds(690));
  ExpectNothingIsConfirmed();
}

TEST_F(CacheTest, NothingIsConfirmedAheadOfTimeIfThatIsNotWanted) {
  LoadWarm("a", 0);
  Pass(kDue);
  ExpectNothingIsConfirmed();
}

TEST_F(CacheTest, WhatIsBeingConfirmedIsNotAskedForAgain) {
  LoadWarm("a", 2);
  Pass(kDue);
  Question question = source_.Await("states a");
  ExpectNothingIsConfirmed();
  question.Answer(MakeArticle("a", 6));
}

TEST_F(CacheTest, WhatHasGoneMissingIsNotConfirmedAheadOfTime) {
  LoadWarm("a", 2);
  Pass(absl::Milliseconds(600));
  const Reader reader = Get("a", kFull, 6);
  source_.Answer("state a", std::nullopt);
  EXPECT_FALSE(reader.waits());
  Pass(kDue);
  ExpectNothingIsConfirmed();
}

TEST_F(CacheTest, AFewQuestionsAreUnderWayAtATime) {
  options_.confirmations_ahead = 1;
  std::vector<Question> questions;
  for (int i = 0; i < 5; ++i) {
    Pass(absl::Milliseconds(1));  // an answer since the last question: the database is not away
    Load(MakeArticle(Id(i), 5));
    Get(Id(i));
    Pass(kDue);
    if (i < 4) questions.push_back(source_.Await(absl::StrCat("states ", Id(i))));
  }
  ExpectNothingIsConfirmed();
  source_.Take("full nowhere");
  questions.back().Answer(MakeArticle(Id(3), 5));
  source_.Await(absl::StrCat("states ", Id(4)));
}

TEST_F(CacheTest, AReadMeanwhileWaitsForTheSameAnswer) {
  LoadWarm("a", 1);
  Pass(kDue);
  Question question = source_.Await("states a");
  Pass(absl::Milliseconds(301));
  const Reader reader = Get("a");
  EXPECT_TRUE(reader.waits());
  EXPECT_THAT(source_.open(), IsEmpty());
  question.Answer(MakeArticle("a", 6));
  EXPECT_EQ(reader.answer(), "a v1 with body, r6 c6");
}

TEST_F(CacheTest, AConfirmationAheadOfTimeFindsOutThatAnArticleIsGone) {
  LoadWarm("a", 1);
  Pass(kDue);
  source_.Await("states a").Answer(std::nullopt);
  EXPECT_EQ(Get("a").answer(), "articles/a does not exist");
}

TEST_F(CacheTest, AFailedConfirmationAheadOfTimeIsTriedAgain) {
  LoadWarm("a", 2);
  Pass(kDue);
  source_.Await("states a").Answer(Overloaded(absl::Seconds(1)));
  source_.Await("states a").Answer(MakeArticle("a", 6));
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r6 c6");
}

TEST_F(CacheTest, NothingIsConfirmedAheadOfTimeWhileTheDatabaseIsAway) {
  LoadWarm("a", 2);
  Pass(kDue);
  source_.Await("states a").Answer(StoreUnavailable());
  ExpectNothingIsConfirmed();
}

TEST_F(CacheTest, WhatIsReadByAnotherNameIsConfirmedAheadOfTime) {
  options_.confirmations_ahead = 1;
  Load(MakeArticle("a", 5));
  Get("old-name");
  source_.Answer("full old-name", MakeArticle("a", 5));
  Get("old-name");
  Pass(kDue);
  source_.Await("states a").Answer(MakeArticle("a", 6));
  EXPECT_EQ(Get("old-name").answer(), "a v1 with body, r6 c6");
}

// ---- News ----

TEST_F(CacheTest, NewsChangeTheCountsInPlace) {
  Load(MakeArticle("a", 5));
  source_.Tell(MakeNews("a", 6));
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r6 c6");
  source_.Tell(MakeNews("a", 4));  // overtaken
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r6 c6");
}

TEST_F(CacheTest, NewsDoNotMakeAnythingFresher) {
  Load(MakeArticle("a", 5));
  Pass(absl::Milliseconds(900));
  source_.Tell(MakeNews("a", 6));
  Pass(absl::Milliseconds(101));
  const Reader reader = Get("a");
  EXPECT_TRUE(reader.waits());
  EXPECT_THAT(source_.open(), ElementsAre("state a"));
}

TEST_F(CacheTest, NewsOfAnotherVersionDropTheText) {
  Load(MakeArticle("a", 5));
  source_.Tell(MakeNews("a", 6, 2));
  const Reader reader = Get("a");
  source_.Answer("full a", MakeArticle("a", 6, 2));
  EXPECT_EQ(reader.answer(), "a v2 with body, r6 c6");
}

TEST_F(CacheTest, NewsOfWhatIsNotKeptAreNothing) {
  cache();
  source_.Tell(MakeNews("a", 6));
  EXPECT_THAT(source_.open(), IsEmpty());
  EXPECT_EQ(cache().GetInfo().article_count(), 0);
}

TEST_F(CacheTest, NewsOfACommentWhileTheTextIsLoadedBelongToThatText) {
  const Reader early = Get("a");
  source_.Tell(MakeNews("a", 6));
  const Reader late = Get("a");
  source_.Answer("full a", MakeArticle("a", 5));  // as it was before
  EXPECT_EQ(early.answer(), "a v1 with body, r6 c6");
  EXPECT_EQ(late.answer(), "a v1 with body, r6 c6");
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(CacheTest, WhoComesAfterTheNewsIsNotAnsweredWithWhatWasBefore) {
  const Reader early = Get("a");
  source_.Tell(MakeNews("a", 6, 2));
  const Reader late = Get("a");
  source_.Answer("full a", MakeArticle("a", 5, 1));
  EXPECT_EQ(early.answer(), "a v1 with body, r5 c5");
  EXPECT_TRUE(late.waits());
  source_.Answer("full a", MakeArticle("a", 6, 2));
  EXPECT_EQ(late.answer(), "a v2 with body, r6 c6");
}

TEST_F(CacheTest, WhatIsOlderThanTheNewsIsNotKept) {
  const Reader early = Get("a");
  source_.Tell(MakeNews("a", 6, 2));
  source_.Answer("full a", MakeArticle("a", 5, 1));
  const Reader late = Get("a");
  EXPECT_TRUE(late.waits());
  EXPECT_THAT(source_.open(), ElementsAre("full a"));
}

// ---- Back and forth in time ----

TEST_F(CacheTest, AnOlderAnswerDoesNotReplaceANewerOne) {
  const Reader basic = Get("a", kBasic);
  Question older = source_.Take("basic a");
  const Reader full = Get("a", kFull);
  source_.Answer("full a", MakeArticle("a", 6, 2));
  older.Answer(MakeArticle("a", 5, 1));
  EXPECT_EQ(Get("a", kBasic).answer(), "a v2, r6 c6");
}

TEST_F(CacheTest, AnAnswerToALaterQuestionIsBelievedIfItShowsLess) {
  Load(MakeArticle("a", 50, 7));
  Pass(absl::Seconds(2));
  const Reader reader = Get("a");
  source_.Answer("state a", MakeArticle("a", 40, 7));  // restored from a copy
  EXPECT_TRUE(reader.waits());                         // the text may be another too
  source_.Answer("full a", MakeArticle("a", 40, 7));
  EXPECT_EQ(reader.answer(), "a v7 with body, r40 c40");
}

TEST_F(CacheTest, AnArticleThatWasFoundIsMissingOnlyForWhoAskedBefore) {
  const Reader early = Get("a", kBasic);
  Question older = source_.Take("basic a");
  source_.Tell(MakeNews("a", 1));  // published meanwhile
  const Reader late = Get("a", kBasic);
  older.Answer(std::nullopt);  // it cannot be told whether that is of before or of after
  EXPECT_EQ(early.answer(), "articles/a does not exist");
  EXPECT_TRUE(late.waits());
  source_.Answer("basic a", MakeArticle("a", 1));
  EXPECT_EQ(late.answer(), "a v1, r1 c1");
}

TEST_F(CacheTest, WhatSomebodyWasToldIsMissingIsShownToNobodyUntilItIsAskedForAgain) {
  Load(MakeArticle("a", 5));
  LoadPage(MakeArticle("a", 5), "p");
  Pass(absl::Seconds(2));
  const Reader early = Get("a");
  Question state = source_.Take("state a");
  const Reader other = GetPage("a", "q");
  Question page = source_.Take("page q");
  source_.Tell(MakeNews("a", 6));
  state.Answer(std::nullopt);  // retracted before that, or afterwards
  EXPECT_EQ(early.answer(), "articles/a does not exist");
  page.Answer(MakeArticle("a", 6));  // of before, or published again
  EXPECT_TRUE(other.waits());
  const Reader late = Get("a");
  source_.Answer("page q", std::nullopt);
  EXPECT_EQ(other.answer(), "articles/a does not exist");
  source_.Answer("full a", std::nullopt);
  EXPECT_EQ(late.answer(), "articles/a does not exist");
}

TEST_F(CacheTest, AnArticleThatIsModeratedAfterItWasTakenAwayIsMissing) {
  Reader reader = Get("a");
  for (int revision = 5; revision < 105; ++revision) {
    Question question = source_.Take("full a");
    const Reader next = Get("a");
    source_.Tell(MakeNews("a", revision));
    question.Answer(std::nullopt);
    ASSERT_EQ(reader.answer(), "articles/a does not exist");
    ASSERT_TRUE(next.waits());
    reader = next;
  }
}

TEST_F(CacheTest, AnArticleThatWasMissingIsNotThereByAnOlderAnswer) {
  const Reader early = Get("a", kBasic);
  Question older = source_.Take("basic a");
  const Reader gone = Get("a", kFull);
  source_.Answer("full a", std::nullopt);  // retracted meanwhile
  EXPECT_EQ(gone.answer(), "articles/a does not exist");
  older.Answer(MakeArticle("a", 5));
  EXPECT_EQ(Get("a").answer(), "articles/a does not exist");
  EXPECT_EQ(early.answer(), "articles/a does not exist");
}

TEST_F(CacheTest, AnArticleThatWasMissingIsNotThereByOldNews) {
  const Reader early = Get("a", kBasic);
  Question older = source_.Take("basic a");
  const Reader gone = Get("a", kFull);
  source_.Answer("full a", std::nullopt);
  source_.Tell(MakeNews("a", 5));  // of before it was retracted
  older.Answer(MakeArticle("a", 5));
  EXPECT_TRUE(early.waits());
  source_.Answer("basic a", std::nullopt);
  EXPECT_EQ(early.answer(), "articles/a does not exist");
}

TEST_F(CacheTest, ARetractedArticleIsMissing) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(2));
  const Reader reader = Get("a");
  source_.Answer("state a", std::nullopt);
  EXPECT_EQ(reader.answer(), "articles/a does not exist");
  EXPECT_EQ(Get("a").answer(), "articles/a does not exist");
  EXPECT_EQ(cache().GetInfo().article_count(), 0);
}

// ---- What is missing ----

TEST_F(CacheTest, WhatIsMissingIsMissingForAWhile) {
  const Reader reader = Get("a");
  source_.Answer("full a", std::nullopt);
  Pass(absl::Seconds(1));
  EXPECT_EQ(Get("a").answer(), "articles/a does not exist");
  EXPECT_EQ(GetPage("a", "p").answer(), "articles/a does not exist");
  Pass(absl::Milliseconds(1));
  const Reader late = Get("a");
  source_.Answer("full a", MakeArticle("a", 1));
  EXPECT_EQ(late.answer(), "a v1 with body, r1 c1");
}

TEST_F(CacheTest, NewsOfItsIdEndThat) {
  const Reader reader = Get("a");
  source_.Answer("full a", std::nullopt);
  source_.Tell(MakeNews("a", 1));
  const Reader late = Get("a");
  source_.Answer("full a", MakeArticle("a", 1));
  EXPECT_EQ(late.answer(), "a v1 with body, r1 c1");
}

TEST_F(CacheTest, NewsOfItsNameEndThat) {
  const Reader reader = Get("new-name");
  source_.Answer("full new-name", std::nullopt);
  ChangeNotice news = MakeNews("a", 2, 2);
  news.name = "new-name";
  source_.Tell(news);  // renamed
  const Reader late = Get("new-name");
  source_.Answer("full a", MakeArticle("a", 2, 2));
  EXPECT_EQ(late.answer(), "a v2 with body, r2 c2");
}

TEST_F(CacheTest, NewsOfItsNameWhileItIsAskedFor) {
  const Reader early = Get("new-name");
  ChangeNotice news = MakeNews("a", 2, 2);
  news.name = "new-name";
  source_.Tell(news);
  source_.Answer("full new-name", std::nullopt);  // as it was before
  source_.Answer("full a", MakeArticle("a", 2, 2));
  EXPECT_EQ(early.answer(), "a v2 with body, r2 c2");
}

TEST_F(CacheTest, WhoWantsARevisionDoesNotBelieveThatNothingIsThere) {
  const Reader reader = Get("a");
  source_.Answer("full a", std::nullopt);
  const Reader writer = Get("a", kFull, 1);
  source_.Answer("full a", MakeArticle("a", 1));
  EXPECT_EQ(writer.answer(), "a v1 with body, r1 c1");

  const Reader other = Get("b", kFull, 1);
  source_.Answer("full b", std::nullopt);
  EXPECT_EQ(other.answer(), "articles/b does not exist");
}

// ---- Other names ----

TEST_F(CacheTest, AnArticleIsKeptOnceUnderAllItsNames) {
  Load(MakeArticle("a", 5));
  const Reader reader = Get("old-name");
  source_.Answer("full old-name", MakeArticle("a", 5));
  EXPECT_EQ(reader.answer(), "a v1 with body, r5 c5");
  EXPECT_EQ(cache().GetInfo().article_count(), 1);
  source_.Tell(MakeNews("a", 6));
  EXPECT_EQ(Get("old-name").answer(), "a v1 with body, r6 c6");
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r6 c6");
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(CacheTest, WhatIsKnownUnderTheFirstNameHoldsForAnother) {
  const Reader reader = Get("old-name");
  Question question = source_.Take("full old-name");
  Load(MakeArticle("a", 6, 2));
  question.Answer(MakeArticle("a", 5, 1));  // older
  EXPECT_EQ(reader.answer(), "a v2 with body, r6 c6");
}

TEST_F(CacheTest, ErrorsSayTheNameThatTheCallerGave) {
  Load(MakeArticle("a", 5));
  const Reader reader = Get("old-name");
  source_.Answer("full old-name", MakeArticle("a", 5));
  const Reader behind = Get("old-name", kFull, 7);
  source_.Answer("state a", MakeArticle("a", 5));
  EXPECT_EQ(behind.answer(), "articles/old-name is at revision 5, not yet at 7");
  Pass(absl::Seconds(2));
  const Reader gone = Get("old-name");
  source_.Answer("state a", std::nullopt);
  EXPECT_EQ(gone.answer(), "articles/old-name does not exist");
}

TEST_F(CacheTest, TwoNamesThatStandForEachOtherAreAnError) {
  const Reader one = Get("a");
  source_.Answer("full a", MakeArticle("b", 5));
  source_.Answer("full b", MakeArticle("a", 5));
  EXPECT_FALSE(one.waits());
  EXPECT_FALSE(Get("a").waits());
}

TEST_F(CacheTest, WhatIsForwardedToAnotherNameIsJudgedByTheTimeItComesThere) {
  const Reader reader = Get("old-name");
  Question question = source_.Take("full old-name");
  Load(MakeArticle("a", 5));
  Pass(absl::Milliseconds(1001));
  question.Answer(MakeArticle("a", 6));
  EXPECT_TRUE(reader.waits());  // what is known of the first name is too old by now
  source_.Answer("state a", MakeArticle("a", 7));
  EXPECT_EQ(reader.answer(), "a v1 with body, r7 c7");
}

// ---- min_revision ----

TEST_F(CacheTest, AsksIfARevisionIsWantedThatIsNotKnown) {
  Load(MakeArticle("a", 5));
  EXPECT_EQ(Get("a", kFull, 5).answer(), "a v1 with body, r5 c5");
  const Reader reader = Get("a", kFull, 6);
  source_.Answer("state a", MakeArticle("a", 7));
  EXPECT_EQ(reader.answer(), "a v1 with body, r7 c7");
}

TEST_F(CacheTest, SaysIfTheRevisionIsNotReached) {
  const Reader reader = Get("a", kFull, 6);
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(reader.answer(), "articles/a is at revision 5, not yet at 6");
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5");
}

TEST_F(CacheTest, AFlightThatBeganBeforeDoesNotSayThatARevisionIsNotReached) {
  const Reader early = Get("a");
  const Reader writer = Get("a", kFull, 6);
  EXPECT_THAT(source_.open(), ElementsAre("full a"));
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(early.answer(), "a v1 with body, r5 c5");
  EXPECT_TRUE(writer.waits());
  source_.Answer("state a", MakeArticle("a", 6));
  EXPECT_EQ(writer.answer(), "a v1 with body, r6 c6");
}

TEST_F(CacheTest, AFlightThatBeganBeforeMayShowTheRevision) {
  const Reader early = Get("a");
  const Reader writer = Get("a", kFull, 6);
  source_.Answer("full a", MakeArticle("a", 6));
  EXPECT_EQ(writer.answer(), "a v1 with body, r6 c6");
}

TEST_F(CacheTest, APageOfARevisionThatIsNotKnownIsLoadedAtOnce) {
  LoadPage(MakeArticle("a", 5), "p");
  const Reader reader = GetPage("a", "p", {}, 6);
  source_.Answer("page p", MakeArticle("a", 6));
  EXPECT_EQ(reader.answer(), "p at 6");
  const Reader behind = GetPage("a", "p", {}, 8);
  source_.Answer("page p", MakeArticle("a", 7));
  EXPECT_EQ(behind.answer(), "articles/a is at revision 7, not yet at 8");
  EXPECT_EQ(GetPage("a", "p").answer(), "p at 7");
}

// ---- Pages ----

TEST_F(CacheTest, KeepsPagesByKey) {
  LoadPage(MakeArticle("a", 5), "p");
  EXPECT_EQ(GetPage("a", "p").answer(), "p at 5");
  const Reader other = GetPage("a", "q");
  EXPECT_TRUE(other.waits());
  source_.Answer("page q", MakeArticle("a", 5));
  EXPECT_EQ(GetPage("a", "q").answer(), "q at 5");
  EXPECT_EQ(GetPage("a", "p").answer(), "p at 5");
}

TEST_F(CacheTest, ARushOnAPageIsOneQuestion) {
  const Reader one = GetPage("a", "p");
  const Reader two = GetPage("a", "p");
  source_.Answer("page p", MakeArticle("a", 5));
  EXPECT_EQ(one.answer(), "p at 5");
  EXPECT_EQ(two.answer(), "p at 5");
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(CacheTest, OtherPagesAreOtherQuestions) {
  const Reader one = GetPage("a", "p");
  const Reader two = GetPage("a", "q");
  source_.Answer("page p", MakeArticle("a", 5));
  EXPECT_EQ(one.answer(), "p at 5");
  source_.Answer("page q", MakeArticle("a", 5));
  EXPECT_EQ(two.answer(), "q at 5");
}

TEST_F(CacheTest, APageIsGoodAsLongAsTheRevision) {
  LoadPage(MakeArticle("a", 5), "p");
  Pass(absl::Seconds(2));
  const Reader same = GetPage("a", "p");
  source_.Answer("state a", MakeArticle("a", 5));
  EXPECT_EQ(same.answer(), "p at 5");
  Pass(absl::Seconds(2));
  const Reader other = GetPage("a", "p");
  source_.Answer("state a", MakeArticle("a", 6));
  source_.Answer("page p", MakeArticle("a", 6));
  EXPECT_EQ(other.answer(), "p at 6");
}

TEST_F(CacheTest, NewsEndPages) {
  LoadPage(MakeArticle("a", 5), "p");
  source_.Tell(MakeNews("a", 6));
  const Reader reader = GetPage("a", "p");
  source_.Answer("page p", MakeArticle("a", 6));
  EXPECT_EQ(reader.answer(), "p at 6");
}

TEST_F(CacheTest, APageBringsTheArticleOfItsMoment) {
  const Reader reader = GetPage("a", "p", kFull);
  source_.Answer("page p", MakeArticle("a", 5));
  EXPECT_EQ(reader.answer(), "p at 5 of a v1 with body, r5 c5");
  EXPECT_EQ(GetPage("a", "p", kBasic).answer(), "p at 5 of a v1, r5 c5");
  EXPECT_EQ(GetPage("a", "p").answer(), "p at 5");
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5");
}

TEST_F(CacheTest, APageIsLoadedAgainForAnArticleThatIsNotThere) {
  LoadPage(MakeArticle("a", 5), "p");
  const Reader reader = GetPage("a", "p", kBasic);
  source_.Answer("page p", MakeArticle("a", 5));
  EXPECT_EQ(reader.answer(), "p at 5 of a v1, r5 c5");
}

TEST_F(CacheTest, APageAndItsArticleAreOfOneRevisionWhateverTheNews) {
  const Reader early = GetPage("a", "p", kFull);
  source_.Tell(MakeNews("a", 6));
  const Reader late = GetPage("a", "p", kFull);
  source_.Answer("page p", MakeArticle("a", 5));
  EXPECT_EQ(early.answer(), "p at 5 of a v1 with body, r5 c5");
  EXPECT_TRUE(late.waits());
  source_.Answer("page p", MakeArticle("a", 6));
  EXPECT_EQ(late.answer(), "p at 6 of a v1 with body, r6 c6");
}

TEST_F(CacheTest, AnArticleThatChangesAllTheTimeKeepsNobodyWaiting) {
  const Reader first = GetPage("a", "p");
  source_.Tell(MakeNews("a", 10));
  const Reader second = GetPage("a", "p");
  source_.Answer("page p", MakeArticle("a", 9));
  EXPECT_EQ(first.answer(), "p at 9");
  Question question = source_.Take("page p");
  source_.Tell(MakeNews("a", 11));
  question.Answer(MakeArticle("a", 10));
  EXPECT_EQ(second.answer(), "p at 10");
}

TEST_F(CacheTest, NoReaderSeesAPageOlderThanTheArticle) {
  const Reader page = GetPage("a", "p");
  Question question = source_.Take("page p");
  const Reader article = Get("a");
  source_.Answer("full a", MakeArticle("a", 6));
  EXPECT_EQ(article.answer(), "a v1 with body, r6 c6");
  const Reader later_page = GetPage("a", "p");
  question.Answer(MakeArticle("a", 5));
  EXPECT_EQ(page.answer(), "p at 5");
  EXPECT_TRUE(later_page.waits());
  source_.Answer("page p", MakeArticle("a", 6));
  EXPECT_EQ(later_page.answer(), "p at 6");
}

TEST_F(CacheTest, WhatMakesAPageHasItsOwnErrors) {
  Load(MakeArticle("a", 5));
  const Reader one = GetPage("a", "p");
  const Reader two = GetPage("a", "p");
  source_.Answer("page p", CommentNotFound("articles/a/comments/c"));
  EXPECT_EQ(one.answer(), "articles/a/comments/c does not exist");
  EXPECT_EQ(two.answer(), "articles/a/comments/c does not exist");
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5");
}

TEST_F(CacheTest, AnArticleWhosePageIsGoneIsMissing) {
  Load(MakeArticle("a", 5));
  const Reader page = GetPage("a", "p");
  source_.Answer("page p", std::nullopt);  // retracted
  EXPECT_EQ(page.answer(), "articles/a does not exist");
  EXPECT_EQ(Get("a").answer(), "articles/a does not exist");
}

TEST_F(CacheTest, APageByAnotherNameIsThatOfTheArticle) {
  LoadPage(MakeArticle("a", 5), "p");
  const Reader reader = GetPage("old-name", "p");
  source_.Answer("page p", MakeArticle("a", 5));
  EXPECT_EQ(reader.answer(), "p at 5");
  EXPECT_EQ(GetPage("old-name", "p").answer(), "p at 5");
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(CacheTest, KeepsOnlySomePagesOfAnArticle) {
  for (int i = 0; i < 100; ++i) LoadPage(MakeArticle("a", 5), absl::StrCat("p", i));
  EXPECT_EQ(GetPage("a", "p99").answer(), "p99 at 5");
  EXPECT_TRUE(GetPage("a", "p0").waits());
}

// ---- Callers who do not wait for ever ----

CallContext Until(SteadyTime deadline) { return {.deadline = deadline}; }

CallContext Unless(const std::atomic<bool>& cancelled) {
  return {.cancelled = [&cancelled] { return cancelled.load(); }};
}

TEST_F(CacheTest, AFlightHasTheTimeOfThoseWhoWait) {
  const SteadyTime deadline = SteadyNow() + absl::Hours(1);
  const Reader reader = Get("a", kFull, 0, Until(deadline));
  EXPECT_EQ(source_.Take("full a").context.deadline, deadline);
}

TEST_F(CacheTest, AFlightIsCancelledWhenAllAreGone) {
  std::atomic<bool> first_gone = false;
  std::atomic<bool> second_gone = false;
  const Reader first = Get("a", kFull, 0, Unless(first_gone));
  const Reader second = Get("a", kFull, 0, Unless(second_gone));
  Question question = source_.Take("full a");
  EXPECT_FALSE(question.context.cancelled());
  first_gone = true;
  EXPECT_FALSE(question.context.cancelled());
  second_gone = true;
  EXPECT_TRUE(question.context.cancelled());
  question.Answer(Cancelled());
  EXPECT_EQ(first.Await(), Cancelled().message());
  EXPECT_EQ(second.Await(), Cancelled().message());
}

TEST_F(CacheTest, AFlightThatWasCutShortIsRepeatedForThoseWhoJoined) {
  std::atomic<bool> gone = false;
  const Reader first = Get("a", kFull, 0, Unless(gone));
  Question question = source_.Take("full a");
  gone = true;
  EXPECT_TRUE(question.context.cancelled());
  const Reader second = Get("a");
  question.Answer(Cancelled());
  EXPECT_EQ(first.Await(), Cancelled().message());
  EXPECT_TRUE(second.waits());
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(second.answer(), "a v1 with body, r5 c5");
}

TEST_F(CacheTest, WhoseTimeWasAllThereIsDoesNotStartAgain) {
  const Reader reader = Get("a");
  source_.Answer("full a", DeadlineExceeded());  // by a limit of the source's own
  EXPECT_EQ(reader.answer(), DeadlineExceeded().message());
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(CacheTest, WhoIsGoneDoesNotHaveTheQuestionRepeated) {
  std::atomic<bool> gone = false;
  const Reader first = Get("a");
  const Reader second = Get("a", kFull, 6, Unless(gone));
  gone = true;
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(second.Await(), Cancelled().message());
  EXPECT_THAT(source_.open(), IsEmpty());
}

TEST_F(CacheTest, WhoIsGoneIsAnsweredThoughTheQuestionIsNot) {
  std::atomic<bool> gone = false;
  const Reader first = Get("a", kFull, 0, Unless(gone));
  const Reader second = Get("a", kFull, 0, Until(SteadyNow() + absl::Milliseconds(10)));
  const Reader third = Get("a");
  gone = true;
  EXPECT_EQ(first.Await(), Cancelled().message());
  EXPECT_EQ(second.Await(), DeadlineExceeded().message());
  EXPECT_TRUE(third.waits());
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(third.answer(), "a v1 with body, r5 c5");
}

TEST_F(CacheTest, OnlySoManyWaitForOneAnswer) {
  std::vector<Reader> readers;
  for (int i = 0; i < 10'000; ++i) readers.push_back(Get("a"));
  EXPECT_EQ(Get("a").answer(), Overloaded(absl::Seconds(1)).message());
  const Reader other = Get("b");
  EXPECT_TRUE(other.waits());
  source_.Answer("full a", MakeArticle("a", 5));
  for (const Reader& reader : readers) ASSERT_EQ(reader.answer(), "a v1 with body, r5 c5");
}

// ---- When the database is away ----

TEST_F(CacheTest, ServesWhatIsStaleAndSaysSo) {
  Load(MakeArticle("a", 5));
  LoadPage(MakeArticle("b", 5), "p", kBasic);
  Pass(absl::Seconds(30));
  const Reader reader = Get("a");
  source_.Answer("state a", StoreUnavailable());
  EXPECT_EQ(reader.answer(), "a v1 with body, r5 c5, 30s old");
  // Now that this is known, nobody waits.
  EXPECT_EQ(GetPage("b", "p", kBasic).answer(), "p at 5 of b v1, r5 c5, 30s old");
  EXPECT_EQ(cache().GetInfo().stale_count(), 2);
}

TEST_F(CacheTest, WhereTooManyAskItServesWhatItHasAndSaysSo) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(30));
  const Reader reader = Get("a");
  source_.Answer("state a", Overloaded(absl::Seconds(1)));
  EXPECT_EQ(reader.answer(), "a v1 with body, r5 c5, 30s old");
  // That is no reason to believe that the database is away.
  const Reader next = Get("a");
  EXPECT_TRUE(next.waits());
  source_.Answer("state a", MakeArticle("a", 6));
  EXPECT_EQ(next.answer(), "a v1 with body, r6 c6");
}

TEST_F(CacheTest, TriesAgainNowAndThen) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(30));
  const Reader reader = Get("a");
  source_.Answer("state a", StoreUnavailable());
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5, 30s old");
  for (int i = 0; i < 10; ++i) Get("a");
  EXPECT_THAT(source_.open(), ElementsAre("state a"));
  source_.Answer("state a", StoreUnavailable());
  for (int i = 0; i < 10; ++i) Get("a");
  EXPECT_THAT(source_.open(), IsEmpty());
  Pass(absl::Milliseconds(100));
  for (int i = 0; i < 10; ++i) Get("a");
  EXPECT_THAT(source_.open(), ElementsAre("state a"));
}

TEST_F(CacheTest, DoesNotBelieveForLongThatTheDatabaseIsAway) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(30));
  const Reader reader = Get("a");
  source_.Answer("state a", StoreUnavailable());
  Pass(absl::Seconds(6));
  const Reader later = Get("a");
  EXPECT_TRUE(later.waits());
  source_.Answer("state a", MakeArticle("a", 6));
  EXPECT_EQ(later.answer(), "a v1 with body, r6 c6");
}

TEST_F(CacheTest, AllIsNormalAfterASuccess) {
  Load(MakeArticle("a", 5));
  Load(MakeArticle("b", 5));
  Pass(absl::Seconds(30));
  const Reader reader = Get("a");
  source_.Answer("state a", StoreUnavailable());
  EXPECT_EQ(Get("b").answer(), "b v1 with body, r5 c5, 30s old");
  source_.Answer("state b", MakeArticle("b", 6));
  EXPECT_EQ(Get("b").answer(), "b v1 with body, r6 c6");
  const Reader waiting = Get("a");
  EXPECT_TRUE(waiting.waits());
  source_.Answer("state a", MakeArticle("a", 7));
  EXPECT_EQ(waiting.answer(), "a v1 with body, r7 c7");
}

TEST_F(CacheTest, DoesNotServeWhatIsTooOld) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(61));
  const Reader old = Get("a");
  source_.Answer("state a", StoreUnavailable());
  EXPECT_EQ(old.answer(), "a v1 with body, r5 c5, 1m1s old");
  FailAll();
  Pass(absl::Milliseconds(1));
  const Reader too_old = Get("a");
  source_.Answer("state a", StoreUnavailable());
  EXPECT_EQ(too_old.answer(), StoreUnavailable().message());
}

TEST_F(CacheTest, DoesNotServeWhatIsBehindTheRevisionThatIsWanted) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(2));
  const Reader writer = Get("a", kFull, 6);
  source_.Answer("state a", StoreUnavailable());
  EXPECT_EQ(writer.answer(), StoreUnavailable().message());
  const Reader other = Get("a", kFull, 5);
  EXPECT_THAT(other.answer(), StartsWith("a v1 with body, r5 c5, 2s old"));
}

TEST_F(CacheTest, DoesNotSayThatSomethingIsMissingThatMayBeThere) {
  const Reader reader = Get("a");
  source_.Answer("full a", std::nullopt);
  Pass(absl::Seconds(2));
  const Reader late = Get("a");
  source_.Answer("full a", StoreUnavailable());
  EXPECT_EQ(late.answer(), StoreUnavailable().message());
}

TEST_F(CacheTest, ADatabaseThatAnswersNobodyIsAway) {
  Load(MakeArticle("a", 5));
  Load(MakeArticle("b", 5));
  Pass(absl::Seconds(2));
  const Reader reader = Get("a");
  Question question = source_.Take("state a");
  Pass(absl::Milliseconds(500));
  LookAround();
  EXPECT_TRUE(reader.waits());
  Pass(absl::Milliseconds(1));
  EXPECT_EQ(reader.Await(), "a v1 with body, r5 c5, 2.501s old");
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5, 2.501s old");
  EXPECT_EQ(Get("b").answer(), "b v1 with body, r5 c5, 2.501s old");
  question.Answer(MakeArticle("a", 6));
  Pass(absl::Milliseconds(499));
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r6 c6");
}

TEST_F(CacheTest, OneSlowQuestionIsNotADatabaseThatIsAway) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(2));
  const Reader slow = Get("a");
  Question question = source_.Take("state a");
  Pass(absl::Milliseconds(400));
  Load(MakeArticle("b", 5));
  Pass(absl::Milliseconds(400));
  LookAround();
  EXPECT_TRUE(slow.waits());
  question.Answer(MakeArticle("a", 6));
  EXPECT_EQ(slow.answer(), "a v1 with body, r6 c6");
}

TEST_F(CacheTest, ASlowPageOnAQuietServerIsNotADatabaseThatIsAway) {
  Load(MakeArticle("a", 5));
  Load(MakeArticle("b", 5));
  Pass(absl::Seconds(2));
  const Reader slow = GetPage("a", "p");
  Question question = source_.Take("page p");
  Pass(absl::Seconds(3));
  LookAround();
  FailAll();
  EXPECT_TRUE(slow.waits());
  const Reader other = Get("b");
  EXPECT_TRUE(other.waits());
  source_.Answer("state b", MakeArticle("b", 6));
  EXPECT_EQ(other.answer(), "b v1 with body, r6 c6");
  question.Answer(MakeArticle("a", 6));
  EXPECT_EQ(slow.answer(), "p at 6");
}

TEST_F(CacheTest, OneRefusalIsNotADatabaseThatIsAwayIfItHasAnsweredOthersSince) {
  Load(MakeArticle("a", 5));
  Load(MakeArticle("b", 5));
  Pass(absl::Seconds(2));
  const Reader reader = Get("a");
  Question question = source_.Take("state a");
  Pass(absl::Milliseconds(1));
  Load(MakeArticle("c", 5));
  question.Answer(StoreUnavailable());
  EXPECT_EQ(reader.answer(), "a v1 with body, r5 c5, 2.001s old");
  EXPECT_TRUE(Get("b").waits());
}

TEST_F(CacheTest, AConfirmationThatFindsNoTimeIsADatabaseThatIsAway) {
  Load(MakeArticle("a", 5));
  Pass(absl::Seconds(2));
  const Reader reader = Get("a");
  source_.Answer("state a", DeadlineExceeded());
  EXPECT_EQ(reader.answer(), "a v1 with body, r5 c5, 2s old");
}

// ---- Memory ----

TEST_F(CacheTest, IsNeverAboveItsLimit) {
  for (int i = 0; i < 2000; ++i) {
    const std::string id = Id(i);
    const Reader reader = Get(id);
    source_.Answer(absl::StrCat("full ", id), ArticleOf(id, 1000 + static_cast<size_t>(i) % 5000));
    if (i % 10 == 0) LoadPage(MakeArticle(id, 6), "a page");
    if (i % 10 == 1) {
      Get(absl::StrCat("old-", id));
      source_.Answer(absl::StrCat("full old-", id), MakeArticle(id, 6));
    }
    if (i % 10 == 2) {
      Get(absl::StrCat("no-", id));
      source_.Answer(absl::StrCat("full no-", id), std::nullopt);
    }
    ASSERT_LE(cache().GetInfo().byte_count(), 1 << 20);
  }
  EXPECT_GT(cache().GetInfo().byte_count(), 1'000'000);
  EXPECT_GT(cache().GetInfo().article_count(), 200);
  EXPECT_LT(cache().GetInfo().article_count(), 1000);
}

TEST_F(CacheTest, WhoReadsAllArticlesOnceDoesNotPushOutWhatIsReadOften) {
  constexpr int kHot = 50;
  for (int i = 0; i < kHot + 2000; ++i) {
    source_.AnswerAtOnce(ArticleOf(Id(i), 6000));
    for (int reads = 0; reads < (i < kHot ? 4 : 1); ++reads) Get(Id(i));
  }
  source_.AnswerAtOnce(absl::UnknownError("asked for"));
  for (int i = 0; i < kHot; ++i) EXPECT_NE(Get(Id(i)).answer(), "asked for") << i;
  EXPECT_EQ(Get(Id(kHot)).answer(), "asked for");
}

void CacheTest::ReadTwice(int articles, size_t bytes) {
  for (int i = 0; i < articles; ++i) {
    source_.AnswerAtOnce(ArticleOf(Id(i), bytes));
    Get(Id(i));
    Get(Id(i));
  }
  source_.AnswerAtOnce(std::nullopt);
}

// How many articles a question is about.
size_t CountOf(const Question& states) {
  return static_cast<size_t>(std::count(states.what.begin(), states.what.end(), ' '));
}

TEST_F(CacheTest, WhatIsEvictedIsNotConfirmed) {
  options_.confirmations_ahead = 1;
  ReadTwice(2000, 6000);
  const int64_t kept = cache().GetInfo().article_count();
  EXPECT_LT(kept, 500);
  Pass(kDue);
  const Question question = source_.AwaitAny();
  EXPECT_EQ(CountOf(question), kept);
}

TEST_F(CacheTest, WhatIsKnownOfWarmArticlesIsCounted) {
  options_.max_bytes = 4 << 20;
  ReadTwice(1000, 500);
  const int64_t cold = cache().GetInfo().byte_count();
  cache_ = nullptr;
  options_.confirmations_ahead = 1;
  ReadTwice(1000, 500);
  EXPECT_GT(cache().GetInfo().byte_count(), cold + 1000 * 8);
}

TEST_F(CacheTest, OneQuestionConfirmsAFewHundredAtMost) {
  options_.confirmations_ahead = 1;
  options_.max_bytes = 4 << 20;
  ReadTwice(1200, 500);
  Pass(kDue);
  std::vector<size_t> counts;
  for (int i = 0; i < 3; ++i) counts.push_back(CountOf(source_.AwaitAny()));
  EXPECT_THAT(counts, ElementsAre(500, 500, 200));
}

TEST_F(CacheTest, NamesThatStandForNothingAreEvictedToo) {
  for (int i = 0; i < 20'000; ++i) {
    const std::string id = Id(i);
    Get(id);
    source_.Answer(absl::StrCat("full ", id), std::nullopt);
  }
  EXPECT_LE(cache().GetInfo().byte_count(), 1 << 20);
}

TEST_F(CacheTest, ASmallCacheHoldsALargeArticle) {
  Load(ArticleOf("a", 500'000));
  EXPECT_EQ(cache().GetInfo().article_count(), 1);
}

TEST_F(CacheTest, WhatIsLargerThanTheCacheIsServedAndNotKept) {
  Load(MakeArticle("small", 5));
  const Reader one = Get("a");
  const Reader two = Get("a");
  source_.Answer("full a", ArticleOf("a", 2'000'000));
  EXPECT_FALSE(one.waits());
  EXPECT_FALSE(two.waits());
  EXPECT_TRUE(Get("a").waits());
  FailAll();
  EXPECT_FALSE(Get("small").waits());
}

TEST_F(CacheTest, APageThatIsTooLargeDoesNotCostTheArticle) {
  Load(MakeArticle("a", 5));
  const std::string key(2'000'000, 'k');
  LoadPage(MakeArticle("a", 5), key);
  EXPECT_EQ(Get("a").answer(), "a v1 with body, r5 c5");
  EXPECT_TRUE(GetPage("a", key).waits());
}

TEST_F(CacheTest, WithoutMemoryItOnlySharesQuestions) {
  options_.max_bytes = 0;
  const Reader one = Get("a");
  const Reader two = Get("a");
  source_.Answer("full a", MakeArticle("a", 5));
  EXPECT_EQ(one.answer(), "a v1 with body, r5 c5");
  EXPECT_EQ(two.answer(), "a v1 with body, r5 c5");
  EXPECT_TRUE(Get("a").waits());
}

TEST_F(CacheTest, CountsEachReadOnce) {
  Load(MakeArticle("a", 5));
  const Reader by_other_name = Get("old-name");
  source_.Answer("full old-name", MakeArticle("a", 5));
  EXPECT_FALSE(by_other_name.waits());
  EXPECT_EQ(cache().GetInfo().hit_count(), 0);
  EXPECT_EQ(cache().GetInfo().miss_count(), 2);
  Get("old-name");
  EXPECT_EQ(cache().GetInfo().hit_count(), 1);
  Pass(absl::Seconds(2));
  const Reader refused = Get("a");
  source_.Answer("state a", StoreUnavailable());
  EXPECT_FALSE(refused.waits());
  Get("a");  // at once: it is known to be away
  EXPECT_EQ(cache().GetInfo().hit_count(), 2);
  EXPECT_EQ(cache().GetInfo().miss_count(), 3);
  EXPECT_EQ(cache().GetInfo().stale_count(), 2);
}

TEST_F(CacheTest, CountsWhatItDoes) {
  Load(MakeArticle("a", 5));
  Get("a");
  Get("a");
  const Reader missing = Get("b");
  source_.Answer("full b", std::nullopt);
  Get("b");
  const v1::CacheInfo info = cache().GetInfo();
  EXPECT_EQ(info.byte_limit(), 1 << 20);
  EXPECT_GT(info.byte_count(), 0);
  EXPECT_EQ(info.article_count(), 1);
  EXPECT_EQ(info.hit_count(), 3);
  EXPECT_EQ(info.miss_count(), 2);
  EXPECT_EQ(info.stale_count(), 0);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(CacheTest, AnArticleTakesLittleMoreThanItsBytes) {
  constexpr int kArticles = 20'000;
  constexpr size_t kSize = 6000;
  options_.max_bytes = int64_t{256} << 20;
  const int64_t counted_before = cache().GetInfo().byte_count();
  const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  for (int i = 0; i < kArticles; ++i) {
    const std::string id = Id(i);
    cache().GetArticle({}, id, kFull, 0, [](const absl::StatusOr<ArticleAnswer>&) {});
    source_.Answer(absl::StrCat("full ", id), ArticleOf(id, kSize));
  }
  const size_t taken = mallinfo2().uordblks + mallinfo2().hblkhd - before;
  const int64_t counted = cache().GetInfo().byte_count() - counted_before;
  ASSERT_EQ(cache().GetInfo().article_count(), kArticles);
  const double per_article = static_cast<double>(taken) / kArticles;
  RecordProperty("bytes_per_article", static_cast<int>(per_article));
  EXPECT_LT(per_article, 1.15 * kSize);
  EXPECT_NEAR(static_cast<double>(counted), static_cast<double>(taken),
              0.01 * static_cast<double>(taken));
}
#endif

}  // namespace
}  // namespace content::cache
