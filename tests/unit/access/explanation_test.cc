#include "access/explanation.h"

#include <gtest/gtest.h>

#include <string>

#include "access/policy_file.h"

namespace content::access {
namespace {

constexpr char kPolicy[] = R"(
roles:
  own-comments:
    methods: [content.v1.ContentService/CreateComment]
    comments_per_minute: 10
    writes_as: person
callers:
  "jwt:*": [reader, own-comments]
  jwt:mallory: []
  anonymous: [health]
)";

Explanation ExplanationOf(const std::string& caller, const std::string& method) {
  const absl::StatusOr<Policy> policy = ParsePolicy("policy.yaml", kPolicy);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return Explain(*policy, caller, method);
}

TEST(Explanation, SaysWhichRolesAllowACallAndOnWhichTerms) {
  const Explanation explanation =
      ExplanationOf("jwt:alice", "content.v1.ContentService/CreateComment");
  EXPECT_TRUE(explanation.is_allowed);
  EXPECT_EQ(explanation.text,
            "allowed: jwt:alice content.v1.ContentService/CreateComment\n"
            "in callers: jwt:*\n"
            "its roles: reader, own-comments\n"
            "those with the method: own-comments\n"
            "calls_per_second: no limit\n"
            "comments_per_minute: 10\n"
            "writes_as: person\n");
}

TEST(Explanation, SaysWhyACallIsDenied) {
  const Explanation explanation =
      ExplanationOf("jwt:alice", "content.v1.AdminService/PublishArticle");
  EXPECT_FALSE(explanation.is_allowed);
  EXPECT_EQ(explanation.text,
            "denied: jwt:alice content.v1.AdminService/PublishArticle\n"
            "in callers: jwt:*\n"
            "its roles: reader, own-comments\n"
            "those with the method: none\n");
  EXPECT_EQ(ExplanationOf("jwt:mallory", "content.v1.ContentService/GetArticle").text,
            "denied: jwt:mallory content.v1.ContentService/GetArticle\n"
            "in callers: jwt:mallory\n"
            "its roles: none\n"
            "those with the method: none\n");
  EXPECT_EQ(ExplanationOf("cn:web", "content.v1.ContentService/GetArticle").text,
            "denied: cn:web content.v1.ContentService/GetArticle\n"
            "in callers: nothing\n");
}

TEST(Explanation, KnowsCallersWithoutIdentity) {
  EXPECT_TRUE(ExplanationOf("anonymous", "grpc.health.v1.Health/Check").is_allowed);
  EXPECT_FALSE(ExplanationOf("anonymous", "content.v1.ContentService/GetArticle").is_allowed);
}

}  // namespace
}  // namespace content::access
