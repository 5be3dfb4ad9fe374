#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "postgres/known_database.h"

namespace content::postgres {

/// Sends and receives text by NOTIFY (https://www.postgresql.org/docs/current/sql-notify.html) on
/// its own connection and thread.
///
/// Notifications are best effort. While the database cannot be reached, payloads to send wait, but
/// those that were being sent when the connection broke are lost, and so are payloads from other
/// sessions. At most one statement is under way, and at most 200 start per second.
class Channel {
 public:
  /// PostgreSQL's limit for one payload.
  static constexpr size_t kMaxPayloadBytes = 7999;

  /// Returns the payloads to send now; empty if there are none. Called on the channel's thread.
  using TakePayloads = std::function<std::vector<std::string>()>;

  /// Receives a payload that any session sent, also this one, and the database of the session that
  /// received it, which may have become outdated. Called on the channel's thread. Must not block.
  using OnPayload = std::function<void(absl::string_view payload, const DatabaseId& from)>;

  /// `name` is the channel's name, an SQL identifier. When its connection has reached `lifetime`, a
  /// new one takes over; meanwhile, payloads may arrive twice. If none can be opened, the old one
  /// stays, and it is tried again after a minute.
  Channel(std::shared_ptr<KnownDatabase> database, const std::string& name, absl::Duration lifetime,
          TakePayloads take_payloads, OnPayload on_payload);
  ~Channel();

  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Makes the channel call TakePayloads soon, or connect again if the database has failed over.
  /// Thread-safe. Does not block.
  void Wake();

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace content::postgres
