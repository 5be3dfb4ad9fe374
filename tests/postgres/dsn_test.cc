#include "postgres/dsn.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace content::postgres {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CompleteDsnTest, AddsWhatIsMissing) {
  const std::string dsn = *CompleteDsn("postgresql://app@db/content");
  for (const char* part : {"host='db'", "user='app'", "dbname='content'", "connect_timeout='2'",
                           "client_encoding='UTF8'", "application_name='contentd'"}) {
    EXPECT_THAT(dsn, HasSubstr(part));
  }
}

TEST(CompleteDsnTest, KeepsWhatIsThere) {
  EXPECT_THAT(*CompleteDsn("dbname=x connect_timeout=9"), HasSubstr("connect_timeout='9'"));
  EXPECT_THAT(*CompleteDsn(R"(dbname=x password='a\'b\\c')"), HasSubstr(R"(password='a\'b\\c')"));
}

TEST(CompleteDsnTest, OverrulesTheEncoding) {
  const std::string dsn = *CompleteDsn("postgresql://db/x?client_encoding=LATIN1");
  EXPECT_THAT(dsn, HasSubstr("client_encoding='UTF8'"));
  EXPECT_THAT(dsn, Not(HasSubstr("LATIN1")));
}

TEST(CompleteDsnTest, AcceptsHostsOfEveryKind) {
  for (const char* dsn :
       {"postgresql://db.example.org:5432/x", "postgresql://a:1,b:2,/x",
        "postgresql://[::1]:5432/x", "postgresql://[fe80::1%25eth0]/x", "host=/run/postgresql",
        "host=@abstract", "dbname=x", "postgresql://%2Frun%2Fpostgresql/x",
        "postgresql://me:p%40ss%2Fword@db_1/x", "host=''",
        "postgresql:///x?host=db&user=me@tenant&password=a@b/c"}) {
    EXPECT_TRUE(CompleteDsn(dsn).ok()) << dsn;
  }
}

TEST(CompleteDsnTest, RefusesWhatIsNotADsnWithoutShowingIt) {
  for (const char* dsn : {
           "postgres://user:secret@[::1/x",
           "postgresql://me:pass@secret@db/x",
           "postgresql://me:secret/pass@db/x",
           "postgresql://me:12345secret@db:secret/x",
           "postgresql://me:secret%zz@db/x",
           "postgresql://me:p@db:99999/secret",
           "postgresql://db/x?secret=1",
           "postgresql://me:a secret@db:x/x",
           "mysql://me:secret@db/x",
           "me secret",
           "user=me password=a secret host=db",
           "host='a secret' dbname=x",
           "port=secret",
           "host=db password=secret connect_timeout=1O",
           "host=db password=secret keepalives=x",
           "host=db password=secret keepalives_idle=x",
           "host=db password=secret keepalives_interval=x",
           "host=db password=secret keepalives_count=x",
           "host=db password=secret tcp_user_timeout=1s",
       }) {
    const auto complete = CompleteDsn(dsn);
    EXPECT_EQ(complete.status().code(), absl::StatusCode::kFailedPrecondition) << dsn;
    const std::string message(complete.status().message());
    EXPECT_THAT(message, Not(HasSubstr("secret"))) << dsn;
    EXPECT_THAT(message, HasSubstr("percent-encode")) << dsn;
  }
}

// libpq would truncate it, and say so on standard error.
TEST(CompleteDsnTest, RefusesALongKeyPassword) {
  const std::string password(1023, 'x');
  EXPECT_TRUE(CompleteDsn("sslpassword=" + password).ok());
  EXPECT_FALSE(CompleteDsn("sslpassword=x" + password).ok());
}

TEST(IsNamedInDsnTest, FindsValuesAndPartsOfOptions) {
  const std::string dsn =
      "postgresql://me:word@db:1/name?options=-c%20search_path%3Done%2Ctwo&sslmode=disable";
  for (const char* name : {"me", "word", "db", "name", "one", "two"}) {
    EXPECT_TRUE(IsNamedInDsn(name, dsn)) << name;
  }
  for (const char* name : {"public", "m", "wor", "user"}) {
    EXPECT_FALSE(IsNamedInDsn(name, dsn)) << name;
  }
}

}  // namespace
}  // namespace content::postgres
