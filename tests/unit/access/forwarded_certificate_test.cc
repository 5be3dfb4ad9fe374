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

TEST(ForwardedCertificate, NamesNobodyIfItHasMoreThanOneElement) {
  for (const char* const header :
       {"URI=spiffe://partner/x,URI=spiffe://example.org/admin",
        "By=b;URI=spiffe://partner/x,By=b;URI=spiffe://example.org/admin",
        R"(Subject="CN=x",URI=spiffe://example.org/admin)", "URI=a,b", "DNS=a,", ",URI=a"}) {
    ExpectNobody(header);
  }
}

TEST(ForwardedCertificate, NamesNobodyIfItHasWhatEnvoyDoesNotWrite) {
  ExpectNobody("URI=spiffe://partner/x;a=b");
  ExpectNobody("URI=spiffe://partner/x; DNS=a");
  ExpectNobody(R"(Subject="CN=x";URI=spiffe://partner/x;Subject="CN=admin")");
  ExpectNobody(R"(Subject="";Subject="CN=admin")");
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
