#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/call.h"
#include "content/article.h"
#include "content/changes.h"

namespace content {

/// Keeps a listener subscribed until it is destroyed.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

using ChangeListener = std::function<void(const ChangeNotice&)>;
using FailoverListener = std::function<void()>;

/// The reads and change notices that fill the article cache and keep it fresh. See content/store.h
/// for what all interfaces have in common.
class ArticleSource {
 public:
  virtual ~ArticleSource() = default;

  /// Answers with the article that readers see under this id; nullopt if there is none. Concurrent
  /// calls share statements.
  virtual void ReadArticle(CallContext context, std::string id, v1::ArticleView view,
                           Callback<std::optional<EncodedArticle>> done) = 0;

  /// Answers with the article's state alone, without the text.
  virtual void ReadArticleState(CallContext context, std::string id,
                                Callback<std::optional<ArticleState>> done) = 0;

  /// Reads the states of many articles with one statement. Answers with one entry for each of
  /// `ids`, in the same order.
  virtual void ReadArticleStates(CallContext context, std::vector<std::string> ids,
                                 Callback<std::vector<std::optional<ArticleState>>> done) = 0;

  /// Returns when the oldest running read of the three kinds above was given to its connection;
  /// InfiniteFuture if none is running. Reads that wait for a connection do not count, so this
  /// tells a database that does not answer from a busy store. Does not block.
  virtual SteadyTime OldestReadStart() = 0;

  /// Calls `listener` for every change to an article or its comments until the subscription is
  /// destroyed. For changes committed through this store, it is called before the writer is
  /// answered; for changes by other servers, soon afterwards. Notices are hints, and some may be
  /// lost. The listener is called on any thread; it must not block and must not end a subscription.
  /// It is not called again once the subscription has been destroyed.
  [[nodiscard]] virtual std::unique_ptr<Subscription> Subscribe(ChangeListener listener) = 0;

  /// Calls `listener` when the database has failed over: what was read before may be lost, and
  /// revisions may be used again. The answers to reads that begin after the call are not affected.
  /// The rest is as for Subscribe.
  [[nodiscard]] virtual std::unique_ptr<Subscription> SubscribeToFailovers(
      FailoverListener listener) = 0;
};

}  // namespace content
