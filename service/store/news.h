#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "content/encoded.h"
#include "content/store.h"

namespace content::store {

/// Called by a write after its commit, before its caller is answered, with what it has changed.
using Announce = std::function<void(std::vector<ArticleNews>)>;

/// What has changed, told to those who want to know: to subscribers at once, and by NOTIFY to the
/// other instances on the same database, whose news the subscribers hear too.
///
/// NOTIFY is a hint, and no transaction of a write does it: transactions that notify wait for one
/// another when they commit, whatever they write. A connection of its own sends what has gathered,
/// and listens. What is announced while the database cannot be reached may be lost, and what others
/// announce in the meantime is.
///
/// All methods are thread-safe.
class News {
 public:
  /// `url`: as CompleteUrl gives it. Without `notifications` other instances are neither told nor
  /// heard.
  News(const std::string& url, bool notifications);
  ~News();

  News(const News&) = delete;
  News& operator=(const News&) = delete;

  /// See ArticleSource::Subscribe. The subscription must end before this does.
  std::unique_ptr<Subscription> Subscribe(ArticleSource::NewsSink sink);

  /// Calls the subscribers' sinks, and leaves the rest for later. What it tells of is committed:
  /// rather than let its caller fail, and readers here not hear of it, it ends the process.
  void Announce(const std::vector<ArticleNews>& news) noexcept;

 private:
  class Exchange;
  class Subscriber;

  void Tell(const ArticleNews& news);

  std::mutex mutex_;  // held while they are called
  std::vector<Subscriber*> subscribers_;
  std::unique_ptr<Exchange> exchange_;  // with the other instances; none without notifications
};

}  // namespace content::store
