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

/// Keeps a listener subscribed for as long as it lives.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

using ChangeListener = std::function<void(const ChangeNotice&)>;

/// What a cache of articles is filled from and kept fresh by. content/store.h says what all
/// interfaces have in common.
class ArticleSource {
 public:
  virtual ~ArticleSource() = default;

  /// The article that readers see under this id; nullopt if there is none. Concurrent calls share
  /// statements.
  virtual void ReadArticle(CallContext context, std::string id, v1::ArticleView view,
                           Callback<std::optional<EncodedArticle>> done) = 0;

  /// The same without the text.
  virtual void ReadArticleState(CallContext context, std::string id,
                                Callback<std::optional<ArticleState>> done) = 0;

  /// The states of many articles by one statement: one entry for each of `ids`, in their order.
  virtual void ReadArticleStates(CallContext context, std::vector<std::string> ids,
                                 Callback<std::vector<std::optional<ArticleState>>> done) = 0;

  /// When the oldest of the reads above that are being worked on was given to a connection;
  /// InfiniteFuture if there is none. Reads that wait for a connection do not count. So a database
  /// that does not answer is told from a store that is busy. Does not block.
  virtual SteadyTime OldestReadStart() = 0;

  /// Calls `listener` for changes of articles and their comments while the subscription lives: for
  /// those committed through this store before their writer is answered, for those by other servers
  /// soon afterwards. Notices are hints; some may be lost. The listener is called on any thread. It
  /// must not block and must not end a subscription. It is not called any more once the
  /// subscription has ended.
  [[nodiscard]] virtual std::unique_ptr<Subscription> Subscribe(ChangeListener listener) = 0;
};

}  // namespace content
