#include "postgres/connect.h"

#include <libpq-fe.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "postgres/connect_error.h"
#include "postgres/dsn.h"
#include "postgres/pooler.h"

namespace content::postgres {
namespace {

// libpq gives an address at least this time.
constexpr absl::Duration kMinTimeout = absl::Seconds(2);

// Returns the value of an option, as libpq uses it for `connection`.
std::string OptionOf(PGconn* connection, absl::string_view keyword) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfo(connection),
                                                                             &PQconninfoFree);
  for (const PQconninfoOption* option = options.get();
       option != nullptr && option->keyword != nullptr; ++option) {
    if (option->keyword == keyword) return option->val == nullptr ? "" : option->val;
  }
  return "";
}

absl::Duration TimeoutOf(PGconn* connection) {
  int seconds = 0;
  const bool is_limited =
      absl::SimpleAtoi(OptionOf(connection, "connect_timeout"), &seconds) && seconds > 0;
  return is_limited ? std::max(absl::Seconds(seconds), kMinTimeout) : absl::InfiniteDuration();
}

// ---- Addresses ----

struct Address {
  std::string host;     // may be empty
  std::string numeric;  // empty if the host is the directory of a socket, or an abstract socket
  std::string port;
};

// Returns whether two addresses lead to the same server. Only a socket needs its host for that; an
// empty one is the default directory.
bool operator==(const Address& a, const Address& b) {
  const bool same_host = !a.numeric.empty() || a.host == b.host || a.host.empty() || b.host.empty();
  return a.numeric == b.numeric && a.port == b.port && same_host;
}

std::string PortOrDefault(absl::string_view port) {
  return port.empty() ? kDefaultPort : std::string(port);
}

// Returns the address that libpq is trying.
Address CurrentAddress(const PGconn* connection) {
  return {PQhost(connection), PQhostaddr(connection), PortOrDefault(PQport(connection))};
}

// Returns the numeric addresses of a host, in the order in which libpq tries them.
std::vector<std::string> Resolve(const std::string& host) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  std::vector<std::string> numeric;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(address->ai_addr, address->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      numeric.emplace_back(text);
    }
  }
  return numeric;
}

// Returns the element of a list of the connection string. One element stands for all places.
std::string ElementAt(const std::vector<std::string>& list, size_t place) {
  return list.size() == 1 ? list[0] : place < list.size() ? list[place] : "";
}

// Returns every address that the connection string names.
std::vector<Address> AllAddresses(PGconn* connection) {
  const std::vector<std::string> hosts = absl::StrSplit(OptionOf(connection, "host"), ',');
  const std::vector<std::string> numeric = absl::StrSplit(OptionOf(connection, "hostaddr"), ',');
  const std::vector<std::string> ports = absl::StrSplit(OptionOf(connection, "port"), ',');
  std::vector<Address> addresses;
  for (size_t i = 0; i < std::max(hosts.size(), numeric.size()); ++i) {
    const std::string host = i < hosts.size() ? hosts[i] : "";
    const std::string given = i < numeric.size() ? numeric[i] : "";
    const std::string port = PortOrDefault(ElementAt(ports, i));
    const bool is_socket = given.empty() && (host.empty() || host[0] == '/' || host[0] == '@');
    if (is_socket) {
      addresses.push_back({host, "", port});
      continue;
    }
    for (std::string& one : Resolve(given.empty() ? host : given)) {
      addresses.push_back({host, std::move(one), port});
    }
  }
  return addresses;
}

// Returns the addresses that libpq would try after the current one.
std::vector<Address> LaterAddresses(PGconn* connection) {
  const std::vector<Address> all = AllAddresses(connection);
  const auto current = std::find(all.begin(), all.end(), CurrentAddress(connection));
  return current == all.end() ? std::vector<Address>() : std::vector(current + 1, all.end());
}

// Returns `dsn` for these addresses only.
std::string WithAddresses(const std::string& dsn, const std::vector<Address>& addresses) {
  const auto list = [&addresses](std::string Address::*member) {
    return QuoteDsnValue(
        absl::StrJoin(addresses, ",", [member](std::string* out, const Address& address) {
          absl::StrAppend(out, address.*member);
        }));
  };
  return absl::StrCat(dsn, " host=", list(&Address::host), " hostaddr=", list(&Address::numeric),
                      " port=", list(&Address::port));
}

// ---- Notices ----

thread_local bool took_standby_warning = false;

// libpq calls it on the thread that reads from the connection.
void OnNotice(void*, const PGresult* notice) {
  // Unlike the text, the name of PostgreSQL's function is the same in all languages.
  const char* const function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
  if (function != nullptr && absl::string_view(function) == "SyncRepWaitForLSN") {
    took_standby_warning = true;
  }
}

// ---- Connecting ----

RawConnection Start(const std::string& dsn) {
  // Without this, OpenSSL would ask at the terminal for the password of an encrypted key.
  [[maybe_unused]] static const bool never_asks =
      (PQsetSSLKeyPassHook_OpenSSL(&PQdefaultSSLKeyPassHook_OpenSSL), true);
  RawConnection connection(PQconnectStart(dsn.c_str()));
  if (connection == nullptr) throw std::bad_alloc();
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  PQsetNoticeReceiver(connection.get(), OnNotice, nullptr);
  return connection;
}

// Connects as far as it gets. Returns false if the current address does not answer in time.
bool Complete(PGconn* connection) {
  const absl::Duration timeout = TimeoutOf(connection);
  SteadyTime deadline = SteadyNow() + timeout;
  Address address = CurrentAddress(connection);
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (PQstatus(connection) != CONNECTION_BAD &&
         (step == PGRES_POLLING_READING || step == PGRES_POLLING_WRITING)) {
    const short events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (!AwaitSocket(PQsocket(connection), events, deadline)) return false;
    step = PQconnectPoll(connection);
    if (Address now = CurrentAddress(connection); now != address) {
      address = std::move(now);
      deadline = SteadyNow() + timeout;
    }
  }
  return true;
}

// Tries one address after the other.
RawConnection OpenAny(const std::string& dsn) {
  const ConnectError no_answer = ExplainConnectFailure("timeout expired");
  RawConnection connection = Start(dsn);
  bool some_did_not_answer = false;
  // Only its blocking functions make libpq go on to the next address if one does not answer.
  while (!Complete(connection.get())) {
    some_did_not_answer = true;
    const std::vector<Address> later = LaterAddresses(connection.get());
    if (later.empty()) throw no_answer;
    connection = Start(WithAddresses(dsn, later));
  }
  if (PQstatus(connection.get()) == CONNECTION_OK) return connection;
  ConnectError error = ExplainConnectFailure(PQerrorMessage(connection.get()));
  // A server that did not answer may do so later, whatever the others say.
  throw some_did_not_answer && error.is_permanent() ? no_answer : error;
}

}  // namespace

bool TookStandbyWarning() { return std::exchange(took_standby_warning, false); }

void CloseRawConnection::operator()(pg_conn* connection) const { PQfinish(connection); }

bool AwaitSocket(int socket, short events, SteadyTime deadline) {
  while (true) {
    const absl::Duration left = deadline - SteadyNow();
    if (left <= absl::ZeroDuration()) return false;
    pollfd polled = {socket, events, 0};
    const absl::Duration wait = std::min(left, absl::Hours(1));  // poll takes an int
    if (poll(&polled, 1, static_cast<int>(absl::ToInt64Milliseconds(wait)) + 1) > 0) return true;
  }
}

RawConnection OpenRawConnection(const std::string& dsn) {
  RawConnection connection = OpenAny(dsn);
  CheckPooler(connection.get(),
              [&] { return OpenAny(WithAddresses(dsn, {CurrentAddress(connection.get())})); });
  return connection;
}

std::string LibpqVersion() {
  const int version = PQlibVersion();
  return absl::StrCat(version / 10'000, ".", version % 10'000);
}

}  // namespace content::postgres
