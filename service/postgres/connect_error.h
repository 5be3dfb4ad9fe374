#pragma once

#include <stdexcept>
#include <string>

#include "absl/strings/string_view.h"

namespace content::postgres {

/// Follows an error whose cause may be a password with characters that end it in a URL.
inline constexpr absl::string_view kPercentEncodeHint =
    "in a URL, percent-encode the characters @ : / ? # [ ] % and spaces of the user name and the "
    "password";

/// Why a connection could not be opened. `what()` is one line for operators. It quotes no part of
/// the connection string, unlike the messages of libpq and PostgreSQL.
class ConnectError : public std::runtime_error {
 public:
  enum class Kind {
    /// A later attempt may succeed.
    kTemporary,
    /// The same, but the database runs. It may have no connection left for this one.
    kTurnedAway,
    /// Another attempt would fail too, until somebody changes the connection string or the
    /// configuration of the database.
    kPermanent,
    /// The server is not the one to use. Another host of the connection string may be, or this one
    /// later.
    kWrongServer,
  };

  ConnectError(const std::string& message, Kind kind, bool is_answer = false)
      : std::runtime_error(message), kind_(kind), is_answer_(is_answer) {}

  bool is_permanent() const { return kind_ == Kind::kPermanent; }
  bool is_turned_away() const { return kind_ == Kind::kTurnedAway; }
  bool is_wrong_server() const { return kind_ == Kind::kWrongServer; }

  /// Whether PostgreSQL itself says so: it does not hang.
  bool is_answer() const { return is_answer_; }

 private:
  Kind kind_;
  bool is_answer_;
};

/// Turns libpq's verbose `message` about a connection that could not be opened into an error. If
/// libpq tried several servers and not all failed for good, the error is about one of the others.
ConnectError ExplainConnectFailure(absl::string_view message);

}  // namespace content::postgres
