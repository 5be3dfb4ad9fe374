#include "access/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace content::access {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CertificateIdentities, GoFromTheMostSpecificToTheLeast) {
  EXPECT_THAT(CertificateIdentities({"spiffe://example.org/web"},
                                    {"Web.Example.ORG", "www.example.org"}, "Web server"),
              ElementsAre("spiffe://example.org/web", "dns:web.example.org", "dns:www.example.org",
                          "cn:Web server"));
  EXPECT_THAT(CertificateIdentities({}, {}, "ada"), ElementsAre("cn:ada"));
  EXPECT_THAT(CertificateIdentities({}, {}, ""), IsEmpty());
}

TEST(CertificateIdentities, ASpiffeIdIsTheOnlyUri) {
  EXPECT_THAT(CertificateIdentities({"spiffe://a.org/x", "spiffe://a.org/y"}, {}, "c"),
              ElementsAre("cn:c"));
  EXPECT_THAT(CertificateIdentities({"https://a.org", "spiffe://a.org/y"}, {}, "c"),
              ElementsAre("cn:c"));
  EXPECT_THAT(CertificateIdentities({"https://a.org"}, {"d"}, ""), ElementsAre("dns:d"));
  EXPECT_THAT(CertificateIdentities({"SPIFFE://a.org/x"}, {}, ""), IsEmpty());
}

TEST(CertificateIdentities, LeaveOutNamesThatAreNone) {
  using std::string_literals::operator""s;
  for (const std::string& name : {""s, "*.example.org"s, "a*"s, "a\0b"s, "a\nb"s, "a\x7f"s,
                                  "caf\u00e9"s, std::string(1'025, 'a')}) {
    EXPECT_THAT(CertificateIdentities({}, {name}, name), IsEmpty()) << name;
    if (name.empty()) continue;
    EXPECT_THAT(CertificateIdentities({"spiffe://a.org/" + name}, {"d"}, ""), ElementsAre("dns:d"))
        << name;
  }
}

}  // namespace
}  // namespace content::access
