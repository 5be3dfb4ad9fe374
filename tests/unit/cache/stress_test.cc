// The cache under writers and readers at full speed, with a database that answers late, in any
// order, and sometimes fails.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cache/article_cache.h"
#include "content/errors.h"

namespace content::cache {
namespace {

constexpr int kArticles = 40;
constexpr size_t kTextSize = 4000;
constexpr absl::Duration kMaxStaleness = absl::Milliseconds(1);

using Random = std::mt19937;

int Pick(Random& random, int count) {
  return std::uniform_int_distribution<int>(0, count - 1)(random);
}

// The state of an article at each of its revisions, which start at 1.
class History {
 public:
  struct Moment {
    int64_t version = 1;
    bool visible = true;
    // When its writer was answered.
    SteadyTime acknowledged = SteadyTime::InfiniteFuture();
  };

  History() : moments_(2) { moments_[1].acknowledged = SteadyTime::InfinitePast(); }

  // Writes a comment, or changes the article. Returns the new revision.
  int64_t Write(Random& random) {
    const std::lock_guard lock(mutex_);
    Moment next = {.version = moments_.back().version, .visible = moments_.back().visible};
    if (Pick(random, 4) == 0) {
      ++next.version;
      next.visible = !next.visible || Pick(random, 3) > 0;
    }
    moments_.push_back(next);
    return Last();
  }

  void Acknowledge(int64_t revision) {
    const std::lock_guard lock(mutex_);
    moments_[static_cast<size_t>(revision)].acknowledged = SteadyNow();
  }

  int64_t last() const {
    const std::lock_guard lock(mutex_);
    return Last();
  }

  Moment At(int64_t revision) const {
    const std::lock_guard lock(mutex_);
    return moments_[static_cast<size_t>(revision)];
  }

  // The last revision that was acknowledged by `time`.
  int64_t AcknowledgedBy(SteadyTime time) const {
    const std::lock_guard lock(mutex_);
    int64_t revision = Last();
    while (moments_[static_cast<size_t>(revision)].acknowledged > time) --revision;
    return revision;
  }

  // The first revision, not before `from`, at which readers did not see the article; nullopt if
  // there is none.
  std::optional<int64_t> FirstMissing(int64_t from) const {
    const std::lock_guard lock(mutex_);
    for (int64_t revision = from; revision <= Last(); ++revision) {
      if (!moments_[static_cast<size_t>(revision)].visible) return revision;
    }
    return std::nullopt;
  }

 private:
  int64_t Last() const { return static_cast<int64_t>(moments_.size()) - 1; }

  mutable std::mutex mutex_;
  std::vector<Moment> moments_;  // Guarded by mutex_.
};

// Answers from the histories. It reads at some time and answers later.
class LateSource final : public ArticleSource {
 public:
  LateSource() {
    for (int i = 0; i < 3; ++i) {
      workers_.emplace_back([this, i](const std::stop_token& stop) { Work(Random(i), stop); });
    }
  }

  static std::string Id(int number) { return absl::StrCat("article-", number); }
  static std::string OldName(int number) { return absl::StrCat("old-article-", number); }

  History& history(int number) { return histories_[static_cast<size_t>(number)]; }

  void ReadArticle(CallContext, std::string id, v1::ArticleView view,
                   Callback<std::optional<EncodedArticle>> done) override {
    Ask(id, [view, done = std::move(done)](Answered article) mutable {
      if (article.ok() && *article && view == v1::ARTICLE_VIEW_BASIC) {
        EncodedArticle& basic = **article;
        basic.text = std::make_shared<const std::string>(basic.text->substr(0, basic.basic_size));
        basic.full = false;
      }
      std::move(done)(std::move(article));
    });
  }

  void ReadArticleState(CallContext, std::string id,
                        Callback<std::optional<ArticleState>> done) override {
    Ask(id, [done = std::move(done)](Answered article) mutable {
      if (!article.ok()) return std::move(done)(article.status());
      if (!*article) return std::move(done)(std::nullopt);
      std::move(done)((*article)->state);
    });
  }

  // Reads the articles at different times, and answers when it has read all.
  void ReadArticleStates(CallContext, std::vector<std::string> ids,
                         Callback<std::vector<std::optional<ArticleState>>> done) override {
    struct List {
      std::mutex mutex = {};
      // Guarded by mutex until `missing` is 0. Then only the last answer uses them.
      absl::Status status = {};
      std::vector<std::optional<ArticleState>> states;
      size_t missing;
      Callback<std::vector<std::optional<ArticleState>>> done;
    };
    const auto list = std::make_shared<List>();
    list->states.resize(ids.size());
    list->missing = ids.size();
    list->done = std::move(done);
    for (size_t i = 0; i < ids.size(); ++i) {
      ReadArticleState({}, ids[i], [list, i](absl::StatusOr<std::optional<ArticleState>> state) {
        std::unique_lock lock(list->mutex);
        list->status.Update(state.status());
        if (state.ok()) list->states[i] = *std::move(state);
        if (--list->missing > 0) return;
        lock.unlock();
        if (!list->status.ok()) return std::move(list->done)(list->status);
        std::move(list->done)(std::move(list->states));
      });
    }
  }

  LoadPage Loader(const std::string& id, bool with_article) {
    return [this, id, with_article](CallContext, Callback<LoadedPage> done) {
      Ask(id, [with_article, done = std::move(done)](Answered article) mutable {
        if (!article.ok()) return std::move(done)(article.status());
        if (!*article) return std::move(done)(ArticleNotFound("articles/x"));
        LoadedPage page{
            .state = (*article)->state,
            .bytes = std::make_shared<const std::string>(absl::StrCat((*article)->state.revision))};
        if (with_article) page.article = std::move(**article);
        std::move(done)(std::move(page));
      });
    };
  }

  SteadyTime OldestReadStart() override { return SteadyTime::InfiniteFuture(); }

  std::unique_ptr<Subscription> Subscribe(ChangeListener listener) override {
    SetListener(std::move(listener));
    return std::make_unique<Subscriber>(*this);
  }

  std::unique_ptr<Subscription> SubscribeToFailovers(FailoverListener listener) override {
    failover_listener_ = std::move(listener);
    return std::make_unique<Subscription>();
  }

  void FailOver() { failover_listener_(); }

  void Notify(int number, int64_t revision) {
    ChangeListener listener;
    {
      const std::lock_guard lock(mutex_);
      listener = listener_;
    }
    listener({.state = StateAt(number, revision), .name = Id(number)});
  }

 private:
  struct Subscriber final : Subscription {
    explicit Subscriber(LateSource& source_) : source(source_) {}
    ~Subscriber() override { source.SetListener(nullptr); }
    LateSource& source;
  };

  void SetListener(ChangeListener listener) {
    const std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
  }

  using Answered = absl::StatusOr<std::optional<EncodedArticle>>;
  struct Question {
    int number = 0;
    absl::AnyInvocable<void(Answered) &&> done;
    std::optional<Answered> answer = {};  // set once it has been read
  };

  ArticleState StateAt(int number, int64_t revision) {
    return {.article_id = Id(number),
            .revision = revision,
            .comment_count = revision,
            .version = history(number).At(revision).version};
  }

  Answered Read(int number) {
    const int64_t revision = history(number).last();
    if (!history(number).At(revision).visible) return std::nullopt;
    EncodedArticle article;
    article.state = StateAt(number, revision);
    article.full = true;
    std::string text = absl::StrCat("v", article.state.version, " ");
    article.basic_size = text.size();
    text.resize(kTextSize, 'x');
    article.text = std::make_shared<const std::string>(std::move(text));
    return article;
  }

  void Ask(absl::string_view name, absl::AnyInvocable<void(Answered) &&> done) {
    absl::ConsumePrefix(&name, "old-");
    absl::ConsumePrefix(&name, "article-");
    const std::lock_guard lock(mutex_);
    questions_.push_back({.number = std::stoi(std::string(name)), .done = std::move(done)});
    changed_.notify_one();
  }

  // Takes any question. Reads for it and puts it back, or answers it if that was done before.
  void Work(Random random, const std::stop_token& stop) {
    while (std::optional<Question> question = Take(random, stop)) {
      if (question->answer) {
        std::move(question->done)(*std::move(question->answer));
        continue;
      }
      question->answer =
          Pick(random, 50) == 0 ? Answered(StoreUnavailable()) : Read(question->number);
      const std::lock_guard lock(mutex_);
      questions_.push_back(*std::move(question));
      changed_.notify_one();
    }
  }

  std::optional<Question> Take(Random& random, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [this] { return !questions_.empty(); })) return std::nullopt;
    const auto it = questions_.begin() + Pick(random, static_cast<int>(questions_.size()));
    Question question = std::move(*it);
    questions_.erase(it);
    return question;
  }

  std::array<History, kArticles> histories_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  ChangeListener listener_;             // Guarded by mutex_.
  FailoverListener failover_listener_;  // Set by the cache's constructor.
  std::vector<Question> questions_;     // Guarded by mutex_.
  std::vector<std::jthread> workers_;
};

class CacheStress : public ::testing::Test {
 protected:
  // An answer as a reader sees it.
  struct Seen {
    absl::Status status = {};
    int64_t revision = 0;
    std::optional<std::string> text = {};
    bool stale = false;
  };

  static void Raise(std::atomic<int64_t>& highest, int64_t revision) {
    int64_t known = highest;
    while (known < revision && !highest.compare_exchange_weak(known, revision)) {
    }
  }

  // Picks the first articles most often.
  static int PickArticle(Random& random) { return Pick(random, 1 + Pick(random, kArticles)); }

  void WriteOnce(Random& random) {
    const int number = PickArticle(random);
    History& history = source_.history(number);
    const int64_t revision = history.Write(random);
    // Written through this server, or by another one whose notice is lost.
    if (Pick(random, 3) > 0) {
      source_.Notify(number, revision);
      Raise(notified_[static_cast<size_t>(number)], revision);
    }
    history.Acknowledge(revision);
  }

  Seen GetArticle(const std::string& id, v1::ArticleView view, int64_t min_revision) {
    std::promise<Seen> promise;
    cache_.GetArticle({}, id, view, min_revision, [&](absl::StatusOr<ArticleAnswer> answer) {
      Seen seen{.status = answer.status()};
      if (answer.ok()) {
        seen = {.revision = answer->revision,
                .text = answer->text->substr(0, answer->size),
                .stale = answer->stale_age.has_value()};
        EXPECT_EQ(answer->comment_count, answer->revision);
      }
      promise.set_value(std::move(seen));
    });
    return promise.get_future().get();
  }

  Seen GetPage(const std::string& id, bool with_article, int64_t min_revision) {
    PageRequest request{
        .article_id = id, .key = absl::StrCat("p", with_article), .min_revision = min_revision};
    if (with_article) request.view = v1::ARTICLE_VIEW_FULL;
    std::promise<Seen> promise;
    cache_.GetPage(
        {}, request, source_.Loader(id, with_article), [&](absl::StatusOr<PageAnswer> answer) {
          Seen seen{.status = answer.status()};
          if (answer.ok()) {
            seen = {.revision = std::stoll(*answer->bytes), .stale = answer->stale_age.has_value()};
            if (with_article) {
              EXPECT_EQ(answer->article->revision, seen.revision);
              seen.text = *answer->article->text;
            }
          }
          promise.set_value(std::move(seen));
        });
    return promise.get_future().get();
  }

  void ReadOnce(Random& random) {
    const int number = PickArticle(random);
    History& history = source_.history(number);
    std::atomic<int64_t>& seen_before = seen_[static_cast<size_t>(number)];
    const bool by_old_name = Pick(random, 5) == 0;
    const std::string id = by_old_name ? LateSource::OldName(number) : LateSource::Id(number);
    const SteadyTime now = SteadyNow();
    const int64_t min_revision = Pick(random, 5) == 0 ? history.AcknowledgedBy(now) : 0;
    const int64_t floor =
        std::max({seen_before.load(), notified_[static_cast<size_t>(number)].load(), min_revision});
    const int64_t promised = history.AcknowledgedBy(now - kMaxStaleness);

    Seen seen;
    switch (Pick(random, 4)) {
      case 0:
        seen = GetArticle(id, v1::ARTICLE_VIEW_BASIC, min_revision);
        break;
      case 1:
        seen = GetArticle(id, v1::ARTICLE_VIEW_FULL, min_revision);
        break;
      case 2:
        seen = GetPage(id, false, min_revision);
        break;
      default:
        seen = GetPage(id, true, min_revision);
    }
    if (absl::IsUnavailable(seen.status)) {
      ++unavailable_;
    } else if (absl::IsNotFound(seen.status)) {
      // While readers do not see the article, the cache cannot know whose name an old name is.
      const int64_t known = by_old_name ? min_revision : floor;
      const std::optional<int64_t> missing = history.FirstMissing(std::max(known, promised));
      ASSERT_TRUE(missing) << id << " is missing, was seen at " << known;
      if (!by_old_name) Raise(seen_before, *missing);
    } else {
      ASSERT_TRUE(seen.status.ok()) << seen.status;
      ASSERT_GE(seen.revision, floor) << id << " went back in time";
      ASSERT_TRUE(seen.stale || seen.revision >= promised) << id << " is too old";
      const History::Moment moment = history.At(seen.revision);
      ASSERT_TRUE(moment.visible) << id << " at " << seen.revision;
      if (seen.text) {
        ASSERT_TRUE(absl::StartsWith(*seen.text, absl::StrCat("v", moment.version, " ")))
            << id << " at " << seen.revision;
      }
      Raise(seen_before, seen.revision);
      ++answered_;
    }
  }

  LateSource source_;
  ArticleCache cache_{source_, {.max_bytes = 100'000, .max_staleness = kMaxStaleness}};
  std::array<std::atomic<int64_t>, kArticles> seen_ = {};
  std::array<std::atomic<int64_t>, kArticles> notified_ = {};
  std::atomic<int> answered_ = 0;
  std::atomic<int> unavailable_ = 0;
};

TEST_F(CacheStress, NoReaderSeesAnArticleGoBackInTimeOrTooOld) {
  constexpr int kReads = 15'000;
  constexpr unsigned kReaders = 4;
  std::vector<std::jthread> writers;
  for (unsigned i = 0; i < 2; ++i) {
    writers.emplace_back([this, i](const std::stop_token& stop) {
      Random random(100 + i);
      while (!stop.stop_requested()) {
        WriteOnce(random);
        if (Pick(random, 1000) == 0) source_.FailOver();  // loses nothing
        std::this_thread::yield();
      }
    });
  }
  std::vector<std::jthread> readers;
  for (unsigned i = 0; i < kReaders; ++i) {
    readers.emplace_back([this, i] {
      Random random(200 + i);
      for (int read = 0; read < kReads && !HasFatalFailure(); ++read) ReadOnce(random);
    });
  }
  readers.clear();
  writers.clear();
  const v1::CacheInfo info = cache_.GetInfo();
  EXPECT_GT(answered_, kReads);
  EXPECT_GT(unavailable_, 0);
  EXPECT_GT(info.hit_count(), kReads / 10);
  EXPECT_GT(info.miss_count(), kReads / 10);
  EXPECT_LE(info.byte_count(), info.byte_limit());
}

}  // namespace
}  // namespace content::cache
