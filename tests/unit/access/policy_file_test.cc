#include "access/policy_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "unit/access/method_names.h"

namespace content::access {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kPolicyFile[] = R"(
roles:
  archive-reader:
    methods: [content.v1.ContentService/GetArticle, "grpc.health.v1.Health/*"]
    calls_per_second: 100
  own-comments:
    methods: ["content.v1.ContentService/*"]
    comments_per_minute: 10
    writes_as: person
  any-comments:
    methods: [content.v1.ContentService/CreateComment]
    writes_as: anyone
callers:
  spiffe://example.org/archive: [archive-reader]
  "jwt:*": [own-comments, health]
  jwt:mallory: []
  dns:Web.example.org: [any-comments, own-comments]
  cn:Content desk: [publisher]
  anonymous: [health]
)";

Policy ValidPolicy(const std::string& yaml) {
  absl::StatusOr<Policy> policy = ParsePolicy("policy.yaml", yaml);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? *std::move(policy) : Policy({});
}

std::string ProblemIn(const std::string& yaml) {
  return std::string(ParsePolicy("policy.yaml", yaml).status().message());
}

// Replaces `text` in a valid policy.
std::string ProblemWith(const std::string& text, const std::string& replacement) {
  std::string policy = kPolicyFile;
  const size_t at = policy.find(text);
  EXPECT_NE(at, policy.npos) << text;
  return ProblemIn(policy.replace(at, text.size(), replacement));
}

const Grant* GrantIn(const Policy& policy, const std::string& identity, const char* method) {
  const CallerRoles* const roles = policy.Find(identity);
  return roles != nullptr ? roles->Find(method) : nullptr;
}

TEST(PolicyFile, SaysWhoMayDoWhat) {
  const Policy policy = ValidPolicy(kPolicyFile);
  EXPECT_NE(GrantIn(policy, "spiffe://example.org/archive", kGetArticle), nullptr);
  EXPECT_EQ(GrantIn(policy, "spiffe://example.org/archive", kCreateComment), nullptr);
  EXPECT_EQ(GrantIn(policy, "spiffe://example.org/other", kGetArticle), nullptr);
  EXPECT_NE(GrantIn(policy, "jwt:alice", kCreateComment), nullptr);
  EXPECT_EQ(GrantIn(policy, "jwt:mallory", kGetArticle), nullptr);
  EXPECT_NE(GrantIn(policy, "dns:web.example.org", kCreateComment), nullptr);
  EXPECT_NE(GrantIn(policy, "cn:Content desk", "content.v1.AdminService/PublishArticle"), nullptr);
  EXPECT_NE(GrantIn(policy, "", "grpc.health.v1.Health/Check"), nullptr);
  EXPECT_EQ(GrantIn(policy, "", kGetArticle), nullptr);
}

TEST(PolicyFile, SaysOnWhichTerms) {
  const Policy policy = ValidPolicy(kPolicyFile);
  EXPECT_EQ(GrantIn(policy, "spiffe://example.org/archive", kGetArticle)->calls_per_second, 100);
  EXPECT_EQ(GrantIn(policy, "jwt:alice", kCreateComment)->comments_per_minute, 10);
  EXPECT_TRUE(GrantIn(policy, "jwt:alice", kCreateComment)->writes_only_as_person);
  EXPECT_FALSE(GrantIn(policy, "dns:web.example.org", kCreateComment)->writes_only_as_person);
  EXPECT_EQ(GrantIn(policy, "dns:web.example.org", kCreateComment)->comments_per_minute,
            std::nullopt);
}

TEST(PolicyFile, MayHaveItsKeysInAnyOrder) {
  ValidPolicy("callers: {cn:a: [r]}\nroles: {r: {methods: [grpc.health.v1.Health/Check]}}\n");
  ValidPolicy("callers: {cn:a: [reader]}");
  ValidPolicy("---\ncallers:\n  cn:a: [reader]\n...\n");
}

TEST(PolicyFile, NamesTheLineThatIsWrong) {
  EXPECT_EQ(ProblemWith("calls_per_second: 100", "calls_per_secnd: 100"),
            "policy.yaml:5: a role has no key calls_per_secnd; it has methods, calls_per_second, "
            "comments_per_minute and writes_as");
  EXPECT_THAT(ProblemWith("GetArticle,", "GetArtikel,"),
              StartsWith("policy.yaml:4: there is no method content.v1.ContentService/GetArtikel"));
  EXPECT_THAT(ProblemWith("roles:", "rolls:"), StartsWith("policy.yaml:2: a policy has no key"));
  EXPECT_EQ(ProblemWith("[own-comments, health]", "[own-coments]"),
            "policy.yaml:15: there is no role own-coments");
  EXPECT_EQ(ProblemWith("any-comments:", "publisher:"),
            "policy.yaml:10: the role publisher is built in; choose another name");
}

TEST(PolicyFile, RefusesWrongTypes) {
  EXPECT_EQ(ProblemIn("7"), "policy.yaml:1: a policy must be a map");
  EXPECT_EQ(ProblemIn("[]"), "policy.yaml:1: a policy must be a map");
  EXPECT_EQ(ProblemIn("callers: [cn:a]"), "policy.yaml:1: callers must be a map");
  EXPECT_EQ(ProblemIn("callers: {cn:a: reader}"),
            "policy.yaml:1: the roles of a caller must be a list");
  EXPECT_EQ(ProblemIn("callers: {cn:a: [[reader]]}"),
            "policy.yaml:1: the roles of a caller must be a list of texts");
  EXPECT_EQ(ProblemIn("callers: {[cn:a]: [reader]}"),
            "policy.yaml:1: a key of callers must be a text");
  EXPECT_EQ(ProblemIn("roles: [r]\ncallers: {cn:a: []}"), "policy.yaml:1: roles must be a map");
  EXPECT_EQ(ProblemIn("roles: {r: [x]}\ncallers: {cn:a: []}"),
            "policy.yaml:1: the role r must be a map");
  EXPECT_EQ(ProblemIn("roles: {r: {methods: x}}\ncallers: {cn:a: []}"),
            "policy.yaml:1: methods must be a list");
  EXPECT_THAT(ProblemWith("writes_as: person", "writes_as: true"),
              HasSubstr(":9: writes_as must be `person` or `anyone`"));
  EXPECT_THAT(ProblemWith("writes_as: person", "writes_as: [person]"), HasSubstr(":9: "));
}

TEST(PolicyFile, RefusesWhatIsMissing) {
  EXPECT_EQ(ProblemIn(""), "policy.yaml:1: the policy is empty");
  EXPECT_EQ(ProblemIn("# nothing\n"), "policy.yaml:1: the policy is empty");
  EXPECT_EQ(ProblemIn("roles: {}"), "policy.yaml:1: callers are missing");
  EXPECT_EQ(ProblemIn("callers: {}"), "policy.yaml:1: callers names nobody");
  EXPECT_EQ(ProblemIn("callers:"), "policy.yaml:1: callers must be a map");
  EXPECT_EQ(ProblemIn("roles: {r: {}}\ncallers: {cn:a: []}"),
            "policy.yaml:1: the role r has no methods");
  EXPECT_EQ(ProblemIn("roles: {r: {methods: []}}\ncallers: {cn:a: []}"),
            "policy.yaml:1: the role r has no methods");
}

TEST(PolicyFile, RefusesLimitsThatAreNone) {
  for (const char* const limit :
       {"0", "-1", "1.5", "ten", "1e3", "0x10", "1000001", "[1]", "", "99999999999999999999"}) {
    EXPECT_THAT(ProblemWith("calls_per_second: 100", absl::StrCat("calls_per_second: ", limit)),
                HasSubstr(":5: calls_per_second must be a whole number from 1 to 1000000"))
        << limit;
    EXPECT_THAT(
        ProblemWith("comments_per_minute: 10", absl::StrCat("comments_per_minute: ", limit)),
        HasSubstr(":8: comments_per_minute must be a whole number from 1 to 1000000"))
        << limit;
  }
}

TEST(PolicyFile, RefusesWhatIsThereTwice) {
  EXPECT_EQ(ProblemIn("callers: {cn:a: []}\ncallers: {cn:b: []}"),
            "policy.yaml:2: callers is here twice");
  EXPECT_EQ(ProblemIn("callers:\n  cn:a: [reader]\n  cn:a: []"),
            "policy.yaml:3: cn:a is here twice");
  EXPECT_EQ(ProblemIn("callers:\n  dns:a: [reader]\n  dns:A: []"),
            "policy.yaml:3: dns:a is here twice");
  EXPECT_EQ(ProblemIn("callers:\n  cn:a: [reader, reader]"), "policy.yaml:2: reader is here twice");
  EXPECT_THAT(ProblemWith("any-comments:\n", "own-comments:\n"), HasSubstr(":10: own-comments is"));
  EXPECT_THAT(ProblemWith("comments_per_minute: 10", "methods: [grpc.health.v1.Health/Check]"),
              HasSubstr(":8: methods is here twice"));
}

TEST(PolicyFile, RefusesCallersThatCannotBe) {
  for (const char* const caller :
       {"alice", "'*'", "'spiffe:*'", "Anonymous", "''", "https://example.org", "SPIFFE://a/b",
        "'jwt:'", "'cn:'", "spiffe://", "'*.example.org'", "'dns:*.example.org'", "'jwt:a*b*'",
        "'jwt:**'", "'spiffe://example.org*'", "\"jwt:a\\nb\"", "\"cn:\\0\""}) {
    EXPECT_THAT(ProblemIn(absl::StrCat("callers:\n  ", caller, ": [reader]")),
                StartsWith("policy.yaml:2: "))
        << caller;
  }
  for (const char* const caller :
       {"'spiffe://*'", "'spiffe://example.org/*'", "'spiffe://example.org/web*'", "'jwt:*'",
        "'dns:*'", "'cn:web-*'", "'jwt:J\u00f6rg, \u00e9'", "'cn:a b'", "'jwt:auth0|507f'",
        "'jwt:http://x/y'"}) {
    ValidPolicy(absl::StrCat("callers:\n  ", caller, ": [reader]"));
  }
}

TEST(PolicyFile, RefusesCallersWhomNoCertificateNames) {
  for (const std::string& caller :
       {std::string("cn:J\u00f6rg"), std::string("cn:J\u00f6*"), std::string("cn:Web, Inc"),
        std::string("dns:b\u00fccher.example"), std::string("spiffe://example.org/\u00e9"),
        "cn:" + std::string(1'025, 'a')}) {
    EXPECT_THAT(std::string(ParseCallerName(caller).status().message()),
                HasSubstr("certificate's names"))
        << caller;
  }
  EXPECT_TRUE(ParseCallerName("cn:" + std::string(1'024, 'a')).ok());
  for (const char* const caller : {"dns:cms*", "dns:cms.*", "dns:cms.example.org*"}) {
    EXPECT_THAT(std::string(ParseCallerName(caller).status().message()), HasSubstr("dns:*"))
        << caller;
  }
}

TEST(PolicyFile, IsOneDocument) {
  EXPECT_EQ(ProblemIn("callers: {cn:a: []}\n---\ncallers: {cn:b: []}\n"),
            "policy.yaml:3: a policy is one YAML document");
}

TEST(PolicyFile, IsYaml) {
  for (const std::string& yaml :
       {std::string("callers: {cn:a: [}"), std::string("callers: {cn:a: ["),
        std::string("\tcallers: x"), std::string("callers: {cn:a: [*nobody]}"),
        std::string("callers: 'cn:a"), std::string("callers:\n  cn:a: [reader, \"health]\n"),
        std::string("a: b: c"), std::string(500'000, '['), std::string(500'000, '{'),
        std::string("\xff\xfe\x00", 3), std::string("!!binary x"), std::string("<<: *x")}) {
    EXPECT_THAT(ProblemIn(yaml), StartsWith("policy.yaml:")) << yaml.substr(0, 50);
  }
}

TEST(PolicyFile, DoesNotGrowByAliases) {
  std::string bomb = "roles: {}\nx0: &x0 [a]\n";
  for (int i = 1; i < 60; ++i) {
    absl::StrAppend(&bomb, "x", i, ": &x", i, " [*x", i - 1, ", *x", i - 1, "]\n");
  }
  EXPECT_THAT(ProblemIn(bomb), HasSubstr("no key x0"));
  EXPECT_THAT(ProblemIn("callers: &c {cn:a: *c}"), StartsWith("policy.yaml:1: "));
}

TEST(PolicyFile, HasAtMostAHundredRolesOfItsOwn) {
  std::string roles = "callers: {cn:a: []}\nroles:\n";
  for (int i = 0; i < 100; ++i) {
    absl::StrAppend(&roles, "  r", i, ": {methods: [grpc.health.v1.Health/Check]}\n");
  }
  ValidPolicy(roles);
  EXPECT_EQ(ProblemIn(roles + "  r100: {methods: [grpc.health.v1.Health/Check]}\n"),
            "policy.yaml:2: more than 100 roles");
}

TEST(PolicyFile, TheExampleIsValid) {
  const std::string path = CONTENT_SOURCE_DIR "/deploy/policy.yaml";
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const absl::StatusOr<Policy> policy = ParsePolicy(path, text);
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_NE(GrantIn(*policy, "", "grpc.health.v1.Health/Check"), nullptr);
}

}  // namespace
}  // namespace content::access
