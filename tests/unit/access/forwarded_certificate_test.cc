#include "access/forwarded_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace content::access {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void ExpectNobody(const std::string& header) {
  const ForwardedCertificate certificate = ParseForwardedCertificate(header);
  EXPECT_THAT(certificate.uris, IsEmpty()) << header;
  EXPECT_THAT(certificate.dns_names, IsEmpty()) << header;
  EXPECT_EQ(certificate.subject, "") << header;
}

TEST(ForwardedCertificate, HasTheNamesThatEnvoyWrites) {
  const ForwardedCertificate certificate = ParseForwardedCertificate(
      R"(By=spiffe://example.org/content;Hash=468ed33be74eee6556d90c0149c1309e;)"
      R"(Cert="-----BEGIN%20CERTIFICATE-----%0A";Subject="CN=Web server,OU=Web,O=Example\, Inc.";)"
      R"(URI=spiffe://example.org/web;DNS=example.org;DNS=www.example.org)");
  EXPECT_THAT(certificate.uris, ElementsAre("spiffe://example.org/web"));
  EXPECT_THAT(certificate.dns_names, ElementsAre("example.org", "www.example.org"));
  EXPECT_EQ(certificate.subject, R"(CN=Web server,OU=Web,O=Example\, Inc.)");
}

TEST(ForwardedCertificate, HasKeysInAnyCase) {
  EXPECT_THAT(ParseForwardedCertificate("uri=spiffe://a.org/x;dns=d").uris,
              ElementsAre("spiffe://a.org/x"));
}

TEST(ForwardedCertificate, IsThatOfTheLastProxy) {
  for (const char* const first :
       {"URI=spiffe://a.org/admin", R"(URI="spiffe://a.org/admin")", "URI", "\"", "=\"", R"(a="\)",
        R"(Subject="CN=x)", R"(x=";y=)", R"(\")", ",,,", ";=;", R"("""")", " "}) {
    const ForwardedCertificate certificate = ParseForwardedCertificate(
        std::string(first) +
        R"(,By=b;Subject="CN=evil,URI=spiffe://a.org/admin;x=\"";URI=spiffe://a.org/web)");
    EXPECT_THAT(certificate.uris, ElementsAre("spiffe://a.org/web")) << first;
    EXPECT_EQ(certificate.subject, R"(CN=evil,URI=spiffe://a.org/admin;x=\")") << first;
  }
}

TEST(ForwardedCertificate, KeepsQuotedSeparators) {
  const ForwardedCertificate certificate =
      ParseForwardedCertificate(R"(Subject="CN=a,O=\"x\",URI=spiffe://a.org/admin;DNS=b\\";URI=u)");
  EXPECT_EQ(certificate.subject, R"(CN=a,O=\"x\",URI=spiffe://a.org/admin;DNS=b\\)");
  EXPECT_THAT(certificate.uris, ElementsAre("u"));
  EXPECT_THAT(certificate.dns_names, IsEmpty());
}

TEST(ForwardedCertificate, NamesNobodyIfItIsMalformed) {
  for (const char* const header : {"", ",", "URI=a,", "URI", "URI=a;", "URI=a;DNS", R"(URI="a)",
                                   R"(URI="a\")", R"(URI="a"b)", ";URI=a", R"("URI=a)"}) {
    ExpectNobody(header);
  }
}

}  // namespace
}  // namespace content::access
