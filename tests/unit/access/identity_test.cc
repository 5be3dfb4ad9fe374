#include "access/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace content::access {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CertificateIdentities, GoFromTheMostSpecificToTheLeast) {
  EXPECT_THAT(
      CertificateIdentities({"spiffe://example.org/web"}, {"Web.Example.ORG", "www.example.org"},
                            "CN=Web server,O=Example"),
      ElementsAre("spiffe://example.org/web", "dns:web.example.org", "dns:www.example.org",
                  "cn:Web server"));
  EXPECT_THAT(CertificateIdentities({}, {}, "CN=ada"), ElementsAre("cn:ada"));
  EXPECT_THAT(CertificateIdentities({}, {}, ""), IsEmpty());
}

TEST(CertificateIdentities, ASpiffeIdIsTheOnlyUri) {
  EXPECT_THAT(CertificateIdentities({"spiffe://a.org/x", "spiffe://a.org/y"}, {}, "CN=c"),
              ElementsAre("cn:c"));
  EXPECT_THAT(CertificateIdentities({"https://a.org", "spiffe://a.org/y"}, {}, "CN=c"),
              ElementsAre("cn:c"));
  EXPECT_THAT(CertificateIdentities({"https://a.org"}, {"d"}, ""), ElementsAre("dns:d"));
  EXPECT_THAT(CertificateIdentities({"SPIFFE://a.org/x"}, {}, ""), IsEmpty());
}

TEST(CertificateIdentities, ACommonNameIsTheOnlyOneAndPlain) {
  const auto identities = [](const std::string& subject) {
    return CertificateIdentities({}, {}, subject);
  };
  EXPECT_THAT(identities("O=Example+CN=a"), ElementsAre("cn:a"));
  EXPECT_THAT(identities(R"(O=x\\,CN=a)"), ElementsAre("cn:a"));
  for (const char* const subject :
       {"CN=a,CN=b", "CN=,CN=a", "CN=a+CN=a", R"(CN=a\,b)", R"(CN=\C3\A9)", "/O=Example/CN=a",
        "/O=Example,CN=a", "O=Example", ""}) {
    EXPECT_THAT(identities(subject), IsEmpty()) << subject;
  }
  EXPECT_THAT(identities(R"(O=x\,CN=a)"), IsEmpty()) << "that is in the O";
}

TEST(CertificateIdentities, LeaveOutNamesThatAreNone) {
  using std::string_literals::operator""s;
  for (const std::string& name : {""s, "*.example.org"s, "a*"s, "a\0b"s, "a\nb"s, "a\x7f"s,
                                  "caf\u00e9"s, std::string(1'025, 'a')}) {
    EXPECT_THAT(CertificateIdentities({}, {name}, "CN=" + name), IsEmpty()) << name;
    if (name.empty()) continue;
    EXPECT_THAT(CertificateIdentities({"spiffe://a.org/" + name}, {"d"}, ""), ElementsAre("dns:d"))
        << name;
  }
}

TEST(LoggedName, HidesWhoMayBeAPerson) {
  for (const char* const name : {"", "spiffe://example.org/cms", "dns:cms.example.org", "cn:cms"}) {
    EXPECT_EQ(LoggedName(name), name);
  }
  // printf 5:alice | sha256sum
  EXPECT_EQ(LoggedName("jwt:alice"), "jwt:8c9038777a9c5c17");
  EXPECT_NE(LoggedName("jwt:bob"), LoggedName("jwt:alice"));
}

}  // namespace
}  // namespace content::access
