#include "postgres/connect_error.h"

#include <iterator>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "postgres/server_error.h"

namespace content::postgres {
namespace {

using Kind = ConnectError::Kind;

// What a cause means for operators.
struct Explanation {
  absl::string_view cause;  // the beginning of an SQLSTATE or of libpq's message
  absl::string_view meaning;
  Kind kind;
  bool may_be_the_url = false;
};

constexpr absl::string_view kBadOption = "an option of the connection string is wrong";
constexpr absl::string_view kBadSetting =
    "the database refuses a setting of the connection string, the user or the database";
constexpr absl::string_view kCut = "the connection was cut while it was being opened";
constexpr absl::string_view kNoAnswer = "the database does not answer in time";
constexpr absl::string_view kNoRoute = "there is no route to the database";
constexpr absl::string_view kNotPostgres =
    "what answers at the database's address is not PostgreSQL";
constexpr absl::string_view kWrongServer =
    "no server has the attributes that target_session_attrs demands";
constexpr absl::string_view kClientKey =
    "the key of the TLS certificate (sslkey) is missing, cannot be read, is open to other users, "
    "or does not fit the certificate";
constexpr absl::string_view kClientCertificate =
    "the TLS certificate of the connection string (sslcert) cannot be read";
constexpr absl::string_view kRootCertificate =
    "the root certificates for TLS (sslrootcert) are missing or cannot be read";
constexpr absl::string_view kUntrusted =
    "the database's TLS certificate is not from an authority in sslrootcert, or is not valid";
constexpr absl::string_view kOtherHost = "the database's TLS certificate is for another host";
constexpr absl::string_view kClientRefused =
    "the database does not accept the TLS certificate of the connection string (sslcert)";
constexpr absl::string_view kNoCommonTls =
    "the database and the connection string allow no common version or cipher of TLS";
constexpr absl::string_view kTlsFailed = "TLS with the database failed";
constexpr absl::string_view kNoEncryption =
    "the database does not offer the encryption by GSSAPI that is demanded";
constexpr absl::string_view kNoBinding =
    "the database does not offer the channel binding that is demanded";
constexpr absl::string_view kOtherMethod =
    "the database asks for a kind of authentication that is not available or not allowed";
constexpr absl::string_view kBadProof = "the database could not prove that it knows the password";

// The first that fits counts.
constexpr Explanation kSqlStates[] = {
    {"28", "the database refuses the user or its password", Kind::kPermanent, true},
    {"3D000", "the database does not exist", Kind::kPermanent, true},
    {"42501", "the user lacks a right that a setting of its session needs", Kind::kPermanent},
    {"53300",
     "the database has no connection left (max_connections, or the CONNECTION LIMIT of the user or "
     "the database)",
     Kind::kTurnedAway},
    {"53", "the database has run out of disk or memory", Kind::kTemporary},
    {"55", "the database accepts no connections at present", Kind::kTemporary},
    {"57", "the database is starting or stopping", Kind::kTemporary},
    {"0A", kBadSetting, Kind::kPermanent},
    {"22", kBadSetting, Kind::kPermanent},
    {"42", kBadSetting, Kind::kPermanent},
    {"", "the database refuses the connection", Kind::kTurnedAway},
};

constexpr Explanation kNoConnectRight = {
    "", "the user may not connect to the database: GRANT it CONNECT", Kind::kPermanent};

// Errors of the server's TLS, as OpenSSL words them after "SSL error: ". The first whose words are
// all there counts. None contains text of the connection string.
constexpr Explanation kTlsErrors[] = {
    {"certificate verify failed", kUntrusted, Kind::kPermanent},
    {"unexpected eof", kCut, Kind::kTemporary},
    {"certificate", kClientRefused, Kind::kPermanent},  // alerts
    {"unknown ca", kClientRefused, Kind::kPermanent},
    {"protocol", kNoCommonTls, Kind::kPermanent},
    {"version", kNoCommonTls, Kind::kPermanent},
    {"handshake failure", kNoCommonTls, Kind::kPermanent},
    {"cipher", kNoCommonTls, Kind::kPermanent},
    {"", kTlsFailed, Kind::kPermanent},
};

// Messages of libpq 15 to 17, in English, which it uses because the process sets no locale. The
// beginning of each is compared, because what follows may be a name or a path.
constexpr Explanation kMessages[] = {
    {"could not translate host name", "the database's host name cannot be resolved",
     Kind::kTemporary, true},
    {"fe_sendauth: no password supplied", "the database asks for a password, and there is none",
     Kind::kPermanent},
    // The network.
    {"Connection refused", "nothing listens at the database's address", Kind::kTemporary},
    {"No such file or directory", "nothing listens at the database's socket", Kind::kTemporary},
    {"Permission denied", "this process may not use the database's socket", Kind::kTemporary},
    {"timeout expired", kNoAnswer, Kind::kTemporary},
    {"Connection timed out", kNoAnswer, Kind::kTemporary},
    {"could not receive data from server: Connection timed out", kNoAnswer, Kind::kTemporary},
    {"No route to host", kNoRoute, Kind::kTemporary},
    {"Network is unreachable", kNoRoute, Kind::kTemporary},
    {"server closed the connection", kCut, Kind::kTemporary},
    {"Connection reset by peer", kCut, Kind::kTemporary},
    {"could not receive data from server", kCut, Kind::kTemporary},
    {"could not send", kCut, Kind::kTemporary},
    {"SSL SYSCALL error", kCut, Kind::kTemporary},
    {"SSL connection has been closed", kCut, Kind::kTemporary},
    // The server.
    {"session is read-only", kWrongServer, Kind::kTemporary},
    {"session is not read-only", kWrongServer, Kind::kTemporary},
    {"server is in hot standby mode", kWrongServer, Kind::kTemporary},
    {"server is not in hot standby mode", kWrongServer, Kind::kTemporary},
    {"requirepeer specifies", "the database's socket is not of the user that requirepeer demands",
     Kind::kPermanent},
    {"received invalid response", kNotPostgres, Kind::kPermanent},
    {"expected authentication request from server", kNotPostgres, Kind::kPermanent},
    // Encryption.
    {"server does not support SSL", "the database does not offer the TLS that is demanded",
     Kind::kPermanent},
    {"server certificate for", kOtherHost, Kind::kPermanent},
    {"could not get server's host name from server certificate", kOtherHost, Kind::kPermanent},
    {"SSL certificate's", kOtherHost, Kind::kPermanent},
    {"private key file", kClientKey, Kind::kPermanent},
    {"could not stat private key file", kClientKey, Kind::kPermanent},
    {"could not load private key file", kClientKey, Kind::kPermanent},
    {"could not load private SSL key", kClientKey, Kind::kPermanent},
    {"could not read private SSL key", kClientKey, Kind::kPermanent},
    {"could not load SSL engine", kClientKey, Kind::kPermanent},
    {"could not initialize SSL engine", kClientKey, Kind::kPermanent},
    {"certificate present, but not private key file", kClientKey, Kind::kPermanent},
    {"certificate does not match private key file", kClientKey, Kind::kPermanent},
    {"could not open certificate file", kClientCertificate, Kind::kPermanent},
    {"could not read certificate file", kClientCertificate, Kind::kPermanent},
    {"root certificate file", kRootCertificate, Kind::kPermanent},
    {"could not read root certificate file", kRootCertificate, Kind::kPermanent},
    {"could not load system root certificate paths", kRootCertificate, Kind::kPermanent},
    {"could not get home directory to locate root certificate", kRootCertificate, Kind::kPermanent},
    {"could not set minimum SSL protocol version", kNoCommonTls, Kind::kPermanent},
    {"could not set maximum SSL protocol version", kNoCommonTls, Kind::kPermanent},
    {"invalid SSL protocol version range", kNoCommonTls, Kind::kPermanent},
    {"could not create SSL context", kTlsFailed, Kind::kPermanent},
    {"direct SSL", kTlsFailed, Kind::kPermanent},
    {"SSL connection was established with unexpected ALPN", kTlsFailed, Kind::kPermanent},
    {"server accepted connection without a valid SSL certificate", kClientRefused,
     Kind::kPermanent},
    {"could not establish SSL connection", kTlsFailed, Kind::kPermanent},
    {"GSSAPI", kNoEncryption, Kind::kPermanent},
    {"server doesn't support GSSAPI", kNoEncryption, Kind::kPermanent},
    {"could not initiate GSSAPI", kNoEncryption, Kind::kPermanent},
    {"channel binding", kNoBinding, Kind::kPermanent},
    // Authentication.
    {"auth", kOtherMethod, Kind::kPermanent},
    {"none of the server's SASL", kOtherMethod, Kind::kPermanent},
    {"Kerberos", kOtherMethod, Kind::kPermanent},
    {"Crypt", kOtherMethod, Kind::kPermanent},
    {"SCM_CRED", kOtherMethod, Kind::kPermanent},
    {"server requested", kOtherMethod, Kind::kPermanent},
    {"incorrect server signature", kBadProof, Kind::kPermanent},
    {"invalid SCRAM", kBadProof, Kind::kPermanent},
    {"malformed SCRAM", kBadProof, Kind::kPermanent},
    {"error received from server in SCRAM", kBadProof, Kind::kPermanent},
    // The connection string. libpq reads these options only when it has found a server.
    {"invalid ", kBadOption, Kind::kPermanent, true},
    {"could not parse network address", kBadOption, Kind::kPermanent, true},
    {"Unix-domain socket path", kBadOption, Kind::kPermanent, true},
    {"requirepeer parameter is not supported", kBadOption, Kind::kPermanent},
    {"host name must be specified", kBadOption, Kind::kPermanent},
};

// Begins libpq's message about a server.
constexpr absl::string_view kServer = "connection to server ";
constexpr absl::string_view kEndOfServer = " failed: ";

const Explanation& FirstWithPrefix(const Explanation* first, const Explanation* last,
                                   absl::string_view text) {
  while (first + 1 != last && !absl::StartsWith(text, first->cause)) ++first;
  return *first;
}

ConnectError ToError(const Explanation& explanation, absl::string_view sqlstate = "") {
  std::string text(explanation.meaning);
  if (!sqlstate.empty()) absl::StrAppend(&text, " (SQLSTATE ", sqlstate, ")");
  if (explanation.may_be_the_url) absl::StrAppend(&text, "; ", kPercentEncodeHint);
  return {text, explanation.kind, /*is_answer=*/!sqlstate.empty()};
}

// `attempt` is what libpq says of one attempt.
ConnectError ExplainServerError(const ServerError& error, absl::string_view attempt) {
  // The verbose message names the function that raised the error, whatever language the rest is in.
  if (error.sqlstate == "42501" && absl::StrContains(attempt, "LOCATION:  CheckMyDatabase,")) {
    return ToError(kNoConnectRight, error.sqlstate);
  }
  return ToError(FirstWithPrefix(std::begin(kSqlStates), std::end(kSqlStates), error.sqlstate),
                 error.sqlstate);
}

ConnectError ExplainAttempt(absl::string_view attempt) {
  if (const std::optional<ServerError> error = FindServerError(attempt)) {
    return ExplainServerError(*error, attempt);
  }
  absl::string_view message = attempt.substr(0, attempt.find('\n'));
  const bool names_server = absl::StartsWith(message, kServer);
  if (names_server) {
    const size_t end = message.find(kEndOfServer);
    message = end == absl::string_view::npos ? "" : message.substr(end + kEndOfServer.size());
  }
  if (constexpr absl::string_view kTls = "SSL error: "; absl::StartsWith(message, kTls)) {
    for (const Explanation& explanation : kTlsErrors) {
      if (absl::StrContains(message.substr(kTls.size()), explanation.cause)) {
        return ToError(explanation);
      }
    }
  }
  for (const Explanation& explanation : kMessages) {
    if (absl::StartsWith(message, explanation.cause)) return ToError(explanation);
  }
  if (names_server) return {"the database cannot be reached", Kind::kTemporary};
  return ToError({"", kBadOption, Kind::kPermanent, true});
}

// Returns what libpq says of each attempt: of each address, and with and without TLS.
std::vector<std::string> SplitAttempts(absl::string_view message) {
  std::vector<std::string> attempts;
  for (const absl::string_view line : absl::StrSplit(message, '\n')) {
    const bool is_new = attempts.empty() || absl::StartsWith(line, kServer) ||
                        absl::StartsWith(line, "could not translate host name") ||
                        absl::StartsWith(line, "could not parse network address");
    if (is_new) {
      attempts.emplace_back(line);
    } else {
      absl::StrAppend(&attempts.back(), "\n", line);
    }
  }
  return attempts;
}

}  // namespace

ConnectError ExplainConnectFailure(absl::string_view message) {
  std::optional<ConnectError> first;
  for (const std::string& attempt : SplitAttempts(message)) {
    ConnectError error = ExplainAttempt(attempt);
    if (!error.is_permanent()) return error;
    if (!first) first = std::move(error);
  }
  return *first;
}

}  // namespace content::postgres
