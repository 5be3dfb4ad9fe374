#include "postgres/connect_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace content::postgres {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kServer[] = "connection to server at \"SSL-host\" (10.0.0.1), port 5432 failed: ";
constexpr char kSocket[] =
    "connection to server on socket \"/certificate/GSS/.s.PGSQL.5432\" failed: ";

// What libpq says of a server, as it words it, and what operators are told.
constexpr struct {
  const char* message;
  const char* told;
  bool is_permanent;
} kMessages[] = {
    // The network.
    {"Connection refused\n\tIs the server running on that host?", "nothing listens", false},
    {"No such file or directory\n\tIs the server running locally?", "nothing listens", false},
    {"Permission denied\n\tIs the server running locally?", "may not use the database's socket",
     false},
    {"timeout expired", "does not answer in time", false},
    {"Connection timed out\n\tIs the server running?", "does not answer in time", false},
    {"No route to host", "no route", false},
    {"Network is unreachable", "no route", false},
    {"server closed the connection unexpectedly\n\tThis probably means", "was cut", false},
    {"could not receive data from server: Connection reset by peer", "was cut", false},
    {"could not receive data from server: Connection timed out", "answer in time", false},
    {"could not send startup packet: Broken pipe", "was cut", false},
    {"Host is down", "cannot be reached", false},
    // TLS.
    {"server does not support SSL, but SSL was required", "does not offer the TLS", true},
    {"SSL error: certificate verify failed", "not from an authority in sslrootcert", true},
    {"server certificate for \"a\" does not match host name \"b\"", "for another host", true},
    {"SSL error: tlsv1 alert unknown ca", "does not accept the TLS certificate", true},
    {"SSL error: sslv3 alert certificate expired", "does not accept the TLS certificate", true},
    {"SSL error: tlsv13 alert certificate required", "does not accept the TLS certificate", true},
    {"SSL error: unsupported protocol", "no common version", true},
    {"SSL error: tlsv1 alert protocol version", "no common version", true},
    {"SSL error: sslv3 alert handshake failure", "no common version", true},
    {"SSL error: unexpected eof while reading", "was cut", false},
    {"SSL SYSCALL error: EOF detected", "was cut", false},
    {"SSL error: some other", "TLS with the database failed", true},
    {"private key file \"/Connection refused\" has group or world access; file must have", "sslkey",
     true},
    {"certificate present, but not private key file \"/x\"", "sslkey", true},
    {"certificate does not match private key file \"/x\": key values mismatch", "sslkey", true},
    {"could not load private key file \"/x\": bad password read", "sslkey", true},
    {"could not read certificate file \"/timed out\": No such file or directory", "sslcert", true},
    {"root certificate file \"/x\" does not exist\nEither provide the file", "sslrootcert", true},
    {"could not read root certificate file \"/x\": no certificate", "sslrootcert", true},
    {"could not set minimum SSL protocol version: x", "no common version", true},
    // Authentication and encryption.
    {"fe_sendauth: no password supplied", "asks for a password", true},
    {"channel binding required, but SSL not in use", "channel binding", true},
    {"GSSAPI encryption required but was impossible", "GSSAPI", true},
    {"server doesn't support GSSAPI encryption, but it was required", "GSSAPI", true},
    {"authentication method requirement \"scram\" failed: x", "kind of authentication", true},
    {"none of the server's SASL authentication mechanisms are supported", "kind of authentication",
     true},
    {"incorrect server signature", "knows the password", true},
    // The server.
    {"session is read-only", "target_session_attrs", false},
    {"server is in hot standby mode", "target_session_attrs", false},
    {"received invalid response to SSL negotiation: H", "is not PostgreSQL", true},
    {"expected authentication request from server, but received H", "is not PostgreSQL", true},
    {"requirepeer specifies \"SSL\", but actual peer user name is \"x\"", "requirepeer", true},
    // The connection string.
    {"invalid integer value \"x\" for connection option \"keepalives\"", "an option", true},
    // What PostgreSQL says.
    {"FATAL:  28P01: password authentication failed for user \"SSL\"\nLOCATION:  auth_failed, "
     "auth.c:1",
     "refuses the user or its password (SQLSTATE 28P01)", true},
    {"FATAL:  3D000: database \"x\" does not exist", "does not exist (SQLSTATE 3D000)", true},
    {"FATAL:  42501: permission denied for database \"x\"\nDETAIL:  User does not have CONNECT "
     "privilege.\nLOCATION:  CheckMyDatabase, postinit.c:1",
     "may not connect", true},
    {"FATAL:  42501: permission denied to set role \"x\"\nLOCATION:  call_string_check_hook, "
     "guc.c:1",
     "a right that a setting", true},
    {"FATAL:  22023: invalid value for parameter \"role\"", "refuses a setting", true},
    {"FATAL:  42704: unrecognized configuration parameter \"x\"", "refuses a setting", true},
    {"FATAL:  53300: too many connections", "no connection left", false},
    {"FATAL:  57P03: the database system is starting up", "starting or stopping", false},
    {"FATAL:  55000: database \"x\" is not currently accepting connections", "no connections at",
     false},
    {"FATAL:  58P01: could not open file", "refuses the connection", false},
};

TEST(ConnectErrorTest, ExplainsWhatLibpqSaysOfAServer) {
  for (const auto& [message, told, is_permanent] : kMessages) {
    for (const char* server : {kServer, kSocket}) {
      SCOPED_TRACE(message);
      const ConnectError error = ExplainConnectFailure(absl::StrCat(server, message, "\n"));
      EXPECT_THAT(error.what(), HasSubstr(told));
      EXPECT_EQ(error.is_permanent(), is_permanent);
      EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
    }
  }
}

TEST(ConnectErrorTest, ExplainsWhatLibpqSaysOfTheConnectionString) {
  for (const char* message :
       {"invalid sslmode value: \"Connection refused\"\n", "invalid port number: \"x\"\n",
        "invalid SSL protocol version range\n", "definition of service \"timed out\" not found\n",
        "service file \"/certificate\" not found\n", "could not match 2 host names to 1 hostaddr\n",
        "could not parse network address \"x\": Name or service not known\n",
        "Unix-domain socket path \"/SSL\" is too long (maximum 107 bytes)\n"}) {
    SCOPED_TRACE(message);
    const ConnectError error = ExplainConnectFailure(message);
    EXPECT_TRUE(error.is_permanent());
  }
  const ConnectError name = ExplainConnectFailure(
      "could not translate host name \"x\" to address: Name or service not known\n");
  EXPECT_THAT(name.what(), HasSubstr("cannot be resolved"));
  EXPECT_FALSE(name.is_permanent());
}

TEST(ConnectErrorTest, OfSeveralServersExplainsOneThatMayBeThereLater) {
  const std::string refused =
      absl::StrCat(kServer, "Connection refused\n\tIs the server running?\n");
  const std::string unknown = absl::StrCat(kServer, "FATAL:  28000: no entry\n");
  for (const std::string& message : {refused + unknown, unknown + refused}) {
    const ConnectError error = ExplainConnectFailure(message);
    EXPECT_THAT(error.what(), HasSubstr("nothing listens"));
    EXPECT_FALSE(error.is_permanent());
  }
  EXPECT_TRUE(ExplainConnectFailure(unknown + unknown).is_permanent());
}

TEST(ConnectErrorTest, IsAnAnswerIfPostgresSaysIt) {
  for (const auto& [message, told, is_permanent] : kMessages) {
    EXPECT_EQ(ExplainConnectFailure(absl::StrCat(kServer, message)).is_answer(),
              absl::StartsWith(message, "FATAL:"))
        << message;
  }
}

}  // namespace
}  // namespace content::postgres
