#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "content/article_source.h"
#include "content/changes.h"
#include "telemetry/metrics.h"

namespace content::postgres {
class Channel;
struct DatabaseId;
class KnownDatabase;
}  // namespace content::postgres

namespace content::store {

/// Called by a write with its changes, after its commit and before its caller is answered.
using Announce = std::function<void(std::vector<ChangeNotice>)>;

/// Announces changes: to this server's subscribers at once, and to the other servers on the same
/// database by NOTIFY. Subscribers also receive the changes made through other servers.
///
/// NOTIFY is a hint, sent on a separate connection and never in a write's transaction, because
/// transactions that notify wait for each other when they commit, whatever they write. If several
/// notices of an article wait to be sent, only the latest is. Notices may be lost while the
/// database cannot be reached. Those of sessions that are outdated (KnownDatabase) are dropped,
/// because their changes may be lost: nobody hears of them after the failover.
///
/// Thread-safe.
class ChangeNotifier {
 public:
  /// Without `notifications`, nothing is sent to or received from other servers. Their connection
  /// is replaced when it has reached its `connection_lifetime`. `lags` gets the time from a change
  /// until its notice, sent to the other servers, came back from the database. It outlives this
  /// object. nullptr: nobody wants to know.
  ChangeNotifier(const std::shared_ptr<postgres::KnownDatabase>& database, bool notifications,
                 absl::Duration connection_lifetime = absl::InfiniteDuration(),
                 metrics::Histogram* lags = nullptr);
  ~ChangeNotifier();

  ChangeNotifier(const ChangeNotifier&) = delete;
  ChangeNotifier& operator=(const ChangeNotifier&) = delete;

  /// See ArticleSource::Subscribe. The subscription must be destroyed before this object.
  std::unique_ptr<Subscription> Subscribe(ChangeListener listener);

  /// See ArticleSource::SubscribeToFailovers. The subscription must be destroyed before this
  /// object.
  std::unique_ptr<Subscription> SubscribeToFailovers(FailoverListener listener);

  /// Calls the subscribers on the calling thread; another thread notifies the other servers. `from`
  /// is the database of the session that made the changes. They are committed, so this must not
  /// fail: if it did, it would end the process rather than let subscribers miss them.
  void Announce(const std::vector<ChangeNotice>& notices,
                const postgres::DatabaseId& from) noexcept;

  /// Tells the subscribers that the database has failed over, and drops the notices that wait to be
  /// sent, because their changes may be lost.
  void OnFailover();

 private:
  template <class Listener>
  class Subscriber;

  void NotifySubscribers(const ChangeNotice& notice, const postgres::DatabaseId& from);
  // Returns whether they were added, and no notices were pending before.
  bool AddPending(const std::vector<ChangeNotice>& notices, const postgres::DatabaseId& from);
  std::vector<std::string> TakePayloads();
  void ObserveLag(absl::string_view pending_since) const;
  void Receive(absl::string_view payload, const postgres::DatabaseId& from);

  const std::shared_ptr<const postgres::KnownDatabase> database_;
  // Begins the first line of this object's payloads. Tells them from those of others, whatever
  // sessions and processes of PostgreSQL a pooler uses for them.
  const std::string header_;
  metrics::Histogram* const lags_;

  std::mutex mutex_;                                           // held while listeners are called
  std::vector<const ChangeListener*> subscribers_;             // Guarded by mutex_.
  std::vector<const FailoverListener*> failover_subscribers_;  // Guarded by mutex_.

  std::mutex pending_mutex_;
  // Notices to send, by article. Guarded by pending_mutex_.
  std::unordered_map<std::string, ChangeNotice> pending_;
  // Of the oldest of these, if there are any. Guarded by pending_mutex_.
  SteadyTime pending_since_;

  bool has_logged_unknown_ = false;  // used by the channel's thread only

  // Last: its thread uses the rest. nullptr without notifications.
  std::unique_ptr<postgres::Channel> channel_;
};

}  // namespace content::store
