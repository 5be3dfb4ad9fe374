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
  for (const char* part : {"host='db'", "user='app'", "dbname='content'", "connect_timeout='3'",
                           "client_encoding='UTF8'", "application_name='contentd'"}) {
    EXPECT_THAT(dsn, HasSubstr(part));
  }
}

TEST(CompleteDsnTest, KeepsWhatIsThere) {
  EXPECT_THAT(*CompleteDsn("dbname=x connect_timeout=9"), HasSubstr("connect_timeout='9'"));
  EXPECT_THAT(*CompleteDsn(R"(dbname=x password='a\'b\\c')"), HasSubstr(R"(password='a\'b\\c')"));
}

TEST(CompleteDsnTest, RefusesWhatIsNotADsnWithoutShowingIt) {
  const auto dsn = CompleteDsn("postgres://user:secret@[::1/x");
  EXPECT_EQ(dsn.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(dsn.status().message()), Not(HasSubstr("secret")));
}

TEST(RedactedDsnTest, ShowsWhereTheDatabaseIsAndWhoConnects) {
  EXPECT_EQ(RedactedDsn("postgresql://app@db1:5432,db2:5433/content?sslmode=verify-full"),
            "user=app dbname=content host=db1,db2 port=5432,5433 sslmode=verify-full");
  EXPECT_EQ(RedactedDsn("host=/run/postgresql dbname=content connect_timeout=5"),
            "connect_timeout=5 dbname=content host=/run/postgresql");
  EXPECT_EQ(RedactedDsn(""), "");
}

TEST(RedactedDsnTest, ShowsNothingSecretOrUnknown) {
  for (const char* dsn : {
           "postgresql://me:secret@db/x",
           "postgresql://db/x?user=me&password=secret",
           "postgresql://db/x?user=me&sslpassword=secret&passfile=/secret&sslkey=secret",
           "postgresql://db/x?user=me&options=-csecret&service=&krbsrvname=secret",
           "user=me password=secret host=db dbname=x",
           "user=me passfile=/secret sslpassword = 'the secret' host=db dbname=x",
           "password='it''s secret' user=me dbname=x host=db",
           // libpq takes a part of the password for the host, or a URL for a name.
           "postgresql://me:pass@secret@db/x",
           "postgresql://me:pass/secret@db/x",
           "postgresql://me%3Asecret@db/x",
           "dbname=postgresql://me:secret@db/x",
           "dbname='host=db password=secret'",
           // libpq cannot parse them.
           "postgresql://me:secret@[::1/x",
           "me secret",
       }) {
    EXPECT_THAT(RedactedDsn(dsn), Not(HasSubstr("secret"))) << dsn;
  }
  EXPECT_EQ(RedactedDsn("postgresql://me:secret@db/x"), "user=me dbname=x host=db");
}

}  // namespace
}  // namespace content::postgres
