#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/string_view.h"
#include "content/article_source.h"
#include "content/changes.h"

namespace content::postgres {
class Channel;
}

namespace content::store {

/// Called by a write with what it has changed, after its commit and before its caller is answered.
using Announce = std::function<void(std::vector<ChangeNotice>)>;

/// Tells of changes: this server's subscribers at once, and the other servers on the same database
/// by NOTIFY. Subscribers also hear of the changes of other servers.
///
/// NOTIFY is a hint, sent on a connection of its own and never in a write's transaction:
/// transactions that notify wait for each other when they commit, whatever they write. Only the
/// latest notice of an article is sent. Notices may be lost while the database cannot be reached.
///
/// Thread-safe.
class ChangeNotifier {
 public:
  /// `dsn` is a postgres::CompleteDsn. Without `notifications`, other servers are neither told nor
  /// heard.
  ChangeNotifier(const std::string& dsn, bool notifications);
  ~ChangeNotifier();

  ChangeNotifier(const ChangeNotifier&) = delete;
  ChangeNotifier& operator=(const ChangeNotifier&) = delete;

  /// See ArticleSource::Subscribe. The subscription must end before this does.
  std::unique_ptr<Subscription> Subscribe(ChangeListener listener);

  /// Calls the subscribers and leaves the rest to another thread. The changes are committed, so
  /// this must not fail: if it does, it ends the process rather than let subscribers miss them.
  void Announce(const std::vector<ChangeNotice>& notices) noexcept;

 private:
  class Subscriber;

  void NotifySubscribers(const ChangeNotice& notice);
  // Whether there were none before.
  bool AddPending(const std::vector<ChangeNotice>& notices);
  std::unordered_map<std::string, ChangeNotice> TakePending();
  void Receive(absl::string_view payload);

  std::mutex mutex_;                      // held while listeners are called
  std::vector<Subscriber*> subscribers_;  // Guarded by mutex_.

  std::mutex pending_mutex_;
  // Notices to send, by article. Guarded by pending_mutex_.
  std::unordered_map<std::string, ChangeNotice> pending_;

  bool has_logged_unknown_ = false;  // used by the channel's thread only

  // Last: its thread uses the rest. nullptr without notifications.
  std::unique_ptr<postgres::Channel> channel_;
};

}  // namespace content::store
