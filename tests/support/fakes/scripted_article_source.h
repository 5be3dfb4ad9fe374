#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/call.h"
#include "base/clock.h"
#include "content/article_source.h"
#include "content/errors.h"
#include "content/read_cache.h"

namespace content::testing {

/// The answer of the source; nullopt if there is no article.
using ScriptedAnswer = absl::StatusOr<std::optional<EncodedArticle>>;

/// `article`, which has the FULL view, in another view.
inline EncodedArticle InView(EncodedArticle article, v1::ArticleView view) {
  if (view == v1::ARTICLE_VIEW_FULL) return article;
  article.text = std::make_shared<const std::string>(article.text->substr(0, article.basic_size));
  article.full = false;
  return article;
}

/// A question to a ScriptedArticleSource. `what` is "state ID", "states ID ID", "basic ID", "full
/// ID" or "page KEY". If destroyed without an answer, it answers UNKNOWN, because a cache waits for
/// every answer. Move-only.
class ScriptedCall {
 public:
  ScriptedCall(std::string what_, CallContext context_,
               absl::AnyInvocable<void(ScriptedAnswer) &&> done)
      : what(std::move(what_)), context(std::move(context_)), done_(std::move(done)) {}
  ScriptedCall(ScriptedCall&& other) noexcept
      : what(std::move(other.what)),
        context(std::move(other.context)),
        done_(std::exchange(other.done_, nullptr)) {}
  ScriptedCall& operator=(ScriptedCall&&) = delete;

  ~ScriptedCall() {
    if (done_) Answer(absl::UnknownError("never answered"));
  }

  /// For "states", the answer is the state of each.
  void Answer(ScriptedAnswer answer) { std::exchange(done_, nullptr)(std::move(answer)); }

  const std::string what;
  const CallContext context;

 private:
  absl::AnyInvocable<void(ScriptedAnswer) &&> done_;
};

/// An ArticleSource that answers when the test tells it to. Thread-safe.
class ScriptedArticleSource final : public ArticleSource {
 public:
  explicit ScriptedArticleSource(SteadyClock& clock) : clock_(clock) {}

  ~ScriptedArticleSource() override { EXPECT_FALSE(listener_) << "still subscribed"; }

  void ReadArticle(CallContext context, std::string id, v1::ArticleView view,
                   Callback<std::optional<EncodedArticle>> done) override {
    auto answer = [view, done = std::move(done)](ScriptedAnswer article) mutable {
      if (article.ok() && *article) *article = InView(**article, view);
      std::move(done)(std::move(article));
    };
    Add(absl::StrCat(view == v1::ARTICLE_VIEW_FULL ? "full " : "basic ", id), std::move(context),
        std::move(answer));
  }

  void ReadArticleState(CallContext context, std::string id,
                        Callback<std::optional<ArticleState>> done) override {
    auto answer = [done = std::move(done)](ScriptedAnswer article) mutable {
      if (!article.ok()) return std::move(done)(article.status());
      if (!*article) return std::move(done)(std::nullopt);
      std::move(done)((*article)->state);
    };
    Add(absl::StrCat("state ", id), std::move(context), std::move(answer));
  }

  void ReadArticleStates(CallContext context, std::vector<std::string> ids,
                         Callback<std::vector<std::optional<ArticleState>>> done) override {
    std::vector<std::string> sorted = ids;
    std::sort(sorted.begin(), sorted.end());
    auto answer = [ids = std::move(ids), done = std::move(done)](ScriptedAnswer article) mutable {
      if (!article.ok()) return std::move(done)(article.status());
      std::vector<std::optional<ArticleState>> states(ids.size());
      for (size_t i = 0; *article && i < ids.size(); ++i) {
        states[i] = (*article)->state;
        states[i]->article_id = ids[i];
      }
      std::move(done)(std::move(states));
    };
    Add(absl::StrCat("states ", absl::StrJoin(sorted, " ")), std::move(context), std::move(answer));
  }

  SteadyTime OldestReadStart() override {
    const std::lock_guard lock(mutex_);
    SteadyTime oldest = SteadyTime::InfiniteFuture();
    for (const auto& [number, start] : running_reads_) oldest = std::min(oldest, start);
    return oldest;
  }

  std::unique_ptr<Subscription> Subscribe(ChangeListener listener) override {
    SetListener(std::move(listener));
    return std::make_unique<Subscriber>(*this);
  }

  std::unique_ptr<Subscription> SubscribeToFailovers(FailoverListener listener) override {
    failover_listener_ = std::move(listener);
    return std::make_unique<Subscription>();
  }

  /// Tells the subscriber that the database has failed over.
  void FailOver() { failover_listener_(); }

  /// Loads pages whose bytes are "KEY at REVISION".
  LoadPage Loader(const std::string& key, std::optional<v1::ArticleView> view = {}) {
    return [this, key, view](CallContext context, Callback<LoadedPage> done) {
      auto answer = [key, view, done = std::move(done)](ScriptedAnswer article) mutable {
        if (!article.ok()) return std::move(done)(article.status());
        if (!*article) return std::move(done)(ArticleNotFound("articles/of-the-page"));
        LoadedPage page{.state = (*article)->state,
                        .bytes = std::make_shared<const std::string>(
                            absl::StrCat(key, " at ", (*article)->state.revision))};
        if (view) page.article = InView(**article, *view);
        std::move(done)(std::move(page));
      };
      Add(absl::StrCat("page ", key), std::move(context), std::move(answer));
    };
  }

  /// Tells the subscriber of a change.
  void Notify(const ChangeNotice& notice) {
    const std::lock_guard lock(mutex_);
    listener_(notice);
  }

  /// From now on, answers every call at once with `answer`. With nullopt, the test answers.
  void AnswerAtOnce(std::optional<ScriptedAnswer> answer) {
    const std::lock_guard lock(mutex_);
    at_once_ = std::move(answer);
  }

  /// From now on, calls count as waiting for a connection. The test can still answer them.
  void UseUpConnections() {
    const std::lock_guard lock(mutex_);
    has_free_connection_ = false;
  }

  /// Returns the calls that are neither answered nor taken, oldest first.
  std::vector<std::string> open() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> open;
    for (const ScriptedCall& call : calls_) open.push_back(call.what);
    return open;
  }

  /// Takes the oldest open call, which must be `what`.
  ScriptedCall Take(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (calls_.empty() || calls_.front().what != what) return Missing(what);
    return TakeFirst();
  }

  /// Waits for a call that another thread makes, and takes it. It must be `what`.
  ScriptedCall Await(const std::string& what) {
    std::unique_lock lock(mutex_);
    const auto has_call = [this] { return !calls_.empty(); };
    const bool came = call_added_.wait_for(lock, std::chrono::seconds(30), has_call);
    if (!came || calls_.front().what != what) return Missing(what);
    return TakeFirst();
  }

  void Answer(const std::string& what, ScriptedAnswer answer) {
    Take(what).Answer(std::move(answer));
  }

 private:
  struct Subscriber final : Subscription {
    explicit Subscriber(ScriptedArticleSource& source_) : source(source_) {}
    ~Subscriber() override { source.SetListener(nullptr); }
    ScriptedArticleSource& source;
  };

  void SetListener(ChangeListener listener) {
    const std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
  }

  ScriptedCall Missing(const std::string& what) {
    ADD_FAILURE() << "expected " << what << ", but the oldest open call is "
                  << (calls_.empty() ? "none" : calls_.front().what);
    return {"", {}, [](const ScriptedAnswer&) {}};
  }

  ScriptedCall TakeFirst() {
    ScriptedCall call = std::move(calls_.front());
    calls_.pop_front();
    return call;
  }

  void Add(std::string what, CallContext context,
           absl::AnyInvocable<void(ScriptedAnswer) &&> done) {
    std::unique_lock lock(mutex_);
    const int number = next_number_++;
    const bool is_read_by_key = !absl::StartsWith(what, "page ");
    if (is_read_by_key && has_free_connection_) running_reads_[number] = clock_.Now();
    auto finish = [this, number, done = std::move(done)](ScriptedAnswer answer) mutable {
      {
        const std::lock_guard finish_lock(mutex_);
        running_reads_.erase(number);
      }
      std::move(done)(std::move(answer));
    };
    ScriptedCall call(std::move(what), std::move(context), std::move(finish));
    if (!at_once_) {
      calls_.push_back(std::move(call));
      call_added_.notify_one();
      return;
    }
    ScriptedAnswer answer = *at_once_;
    lock.unlock();
    call.Answer(std::move(answer));
  }

  SteadyClock& clock_;
  std::mutex mutex_;
  std::condition_variable call_added_;
  ChangeListener listener_;                  // Guarded by mutex_.
  FailoverListener failover_listener_;       // Set before the test begins.
  std::deque<ScriptedCall> calls_;           // Guarded by mutex_.
  std::optional<ScriptedAnswer> at_once_;    // Guarded by mutex_.
  bool has_free_connection_ = true;          // Guarded by mutex_.
  int next_number_ = 0;                      // Guarded by mutex_.
  std::map<int, SteadyTime> running_reads_;  // Guarded by mutex_. Start of each read by key.
};

}  // namespace content::testing
