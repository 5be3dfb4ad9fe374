#include "access/policy.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace content::access {
namespace {

constexpr char kGetArticle[] = "content.v1.ContentService/GetArticle";
constexpr char kCreateComment[] = "content.v1.ContentService/CreateComment";

Role NewRole(const std::string& name, const std::string& pattern) {
  return {.name = name, .methods = MatchMethods(pattern)};
}

// A policy whose callers have no roles.
Policy PolicyOf(std::initializer_list<std::string> callers) {
  std::vector<CallerRoles> entries;
  for (const std::string& caller : callers) entries.emplace_back(caller, std::vector<Role>());
  return Policy(std::move(entries));
}

std::string EntryOf(const Policy& policy, const std::string& identity) {
  const CallerRoles* const entry = policy.Find(identity);
  return entry != nullptr ? entry->name() : "none";
}

TEST(Policy, PrefersTheOwnEntryThenTheLongestBeginning) {
  const Policy policy = PolicyOf({"jwt:*", "jwt:a*", "jwt:alice", "jwt:al*", "spiffe://a.org/*"});
  EXPECT_EQ(EntryOf(policy, "jwt:alice"), "jwt:alice");
  EXPECT_EQ(EntryOf(policy, "jwt:alicia"), "jwt:al*");
  EXPECT_EQ(EntryOf(policy, "jwt:al"), "jwt:al*");
  EXPECT_EQ(EntryOf(policy, "jwt:anna"), "jwt:a*");
  EXPECT_EQ(EntryOf(policy, "jwt:bob"), "jwt:*");
  EXPECT_EQ(EntryOf(policy, "spiffe://a.org/x/y"), "spiffe://a.org/*");
  EXPECT_EQ(EntryOf(policy, "spiffe://b.org/x"), "none");
  EXPECT_EQ(EntryOf(policy, "cn:jwt:alice"), "none");
}

TEST(Policy, NamesCallersWithoutIdentityOnPurpose) {
  EXPECT_EQ(EntryOf(PolicyOf({"jwt:*", "anonymous"}), ""), "anonymous");
  EXPECT_EQ(EntryOf(PolicyOf({"jwt:*", "cn:*"}), ""), "none");
}

TEST(Policy, DeniesWhatNoRoleHas) {
  const CallerRoles caller("cn:a", {NewRole("r", kGetArticle)});
  EXPECT_NE(caller.Find(kGetArticle), nullptr);
  EXPECT_EQ(caller.Find(kCreateComment), nullptr);
  EXPECT_EQ(caller.Find("no.such.Service/Method"), nullptr);
  EXPECT_EQ(CallerRoles("cn:a", {}).Find(kGetArticle), nullptr);
}

TEST(Policy, UnitesTheRolesThatHaveTheMethod) {
  Role slow = NewRole("slow", "content.v1.ContentService/*");
  slow.calls_per_second = 5;
  slow.comments_per_minute = 50;
  slow.writes_only_as_person = true;
  Role fast = NewRole("fast", kCreateComment);
  fast.calls_per_second = 7;
  fast.comments_per_minute = 20;
  fast.writes_only_as_person = true;
  const Role free = NewRole("free", kGetArticle);

  const CallerRoles caller("cn:a", {slow, fast, free});
  const Grant* const comment = caller.Find(kCreateComment);
  ASSERT_NE(comment, nullptr);
  EXPECT_EQ(comment->calls_per_second, 7);
  EXPECT_EQ(comment->comments_per_minute, 50);
  EXPECT_TRUE(comment->writes_only_as_person);
  const Grant* const article = caller.Find(kGetArticle);
  ASSERT_NE(article, nullptr);
  EXPECT_EQ(article->calls_per_second, std::nullopt);
  EXPECT_EQ(article->comments_per_minute, std::nullopt);
  EXPECT_FALSE(article->writes_only_as_person);
}

TEST(Policy, DoesNotDependOnTheOrderOfRoles) {
  Role limited = NewRole("limited", kGetArticle);
  limited.calls_per_second = 5;
  const Role free = NewRole("free", kGetArticle);
  for (const auto& roles : {std::vector<Role>{limited, free}, std::vector<Role>{free, limited}}) {
    EXPECT_EQ(CallerRoles("cn:a", roles).Find(kGetArticle)->calls_per_second, std::nullopt);
  }
}

}  // namespace
}  // namespace content::access
