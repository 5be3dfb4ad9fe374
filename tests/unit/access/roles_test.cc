#include "access/roles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "access/methods.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/content_service.pb.h"
#include "google/protobuf/descriptor.h"

namespace content::access {
namespace {

using ::testing::HasSubstr;

struct Row {
  const char* method;
  const char* roles;
};

// Who may call what. A new method gets a row: think about who needs it, and who must not have it.
constexpr Row kMatrix[] = {
    {"content.v1.AdminService/BlockAuthor", "moderator operator"},
    {"content.v1.AdminService/EraseAuthor", "operator"},
    {"content.v1.AdminService/EraseComment", "moderator operator"},
    {"content.v1.AdminService/ExportAuthor", "operator"},
    {"content.v1.AdminService/GetServerInfo", "operator"},
    {"content.v1.AdminService/ImportComments", "operator"},
    {"content.v1.AdminService/InspectArticle", "publisher operator"},
    {"content.v1.AdminService/InspectComment", "moderator operator"},
    {"content.v1.AdminService/ListAuditEvents", "operator"},
    {"content.v1.AdminService/ListBlockedAuthors", "moderator operator"},
    {"content.v1.AdminService/ListModerationQueue", "moderator operator"},
    {"content.v1.AdminService/ModerateComment", "moderator operator"},
    {"content.v1.AdminService/OverrideLogLevel", "operator"},
    {"content.v1.AdminService/PublishArticle", "publisher operator"},
    {"content.v1.AdminService/RenameArticle", "publisher operator"},
    {"content.v1.AdminService/RetractArticle", "publisher operator"},
    {"content.v1.AdminService/UnblockAuthor", "moderator operator"},
    {"content.v1.AdminService/UpdateArticle", "publisher operator"},
    {"content.v1.AdminService/VerifyCounters", "operator"},
    {"content.v1.ContentService/BatchGetArticles", "reader commenter moderator publisher operator"},
    {"content.v1.ContentService/CreateComment", "commenter operator"},
    {"content.v1.ContentService/DeleteComment", "commenter operator"},
    {"content.v1.ContentService/GetArticle", "reader commenter moderator publisher operator"},
    {"content.v1.ContentService/GetArticlePage", "reader commenter moderator publisher operator"},
    {"content.v1.ContentService/GetComment", "reader commenter moderator publisher operator"},
    {"content.v1.ContentService/ListArticles", "reader commenter moderator publisher operator"},
    {"content.v1.ContentService/ListComments", "reader commenter moderator publisher operator"},
    {"content.v1.ContentService/ReportComment", "commenter operator"},
    {"content.v1.ContentService/SearchArticles", "reader commenter moderator publisher operator"},
    {"content.v1.ContentService/UpdateComment", "commenter operator"},
    {"content.v1.ContentService/WatchArticles", "reader commenter moderator publisher operator"},
    {"content.v1.ContentService/WatchComments", "reader commenter moderator publisher operator"},
    {"grpc.channelz.v1.Channelz/GetChannel", "operator"},
    {"grpc.channelz.v1.Channelz/GetServer", "operator"},
    {"grpc.channelz.v1.Channelz/GetServerSockets", "operator"},
    {"grpc.channelz.v1.Channelz/GetServers", "operator"},
    {"grpc.channelz.v1.Channelz/GetSocket", "operator"},
    {"grpc.channelz.v1.Channelz/GetSubchannel", "operator"},
    {"grpc.channelz.v1.Channelz/GetTopChannels", "operator"},
    {"grpc.health.v1.Health/Check",
     "health reflection reader commenter moderator publisher operator"},
    {"grpc.health.v1.Health/Watch",
     "health reflection reader commenter moderator publisher operator"},
    {"grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "reflection operator"},
    {"grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "reflection operator"},
};

TEST(Roles, HaveTheMethodsOfTheMatrix) {
  std::vector<std::string> rows;
  for (const Row& row : kMatrix) rows.push_back(absl::StrCat(row.method, ": ", row.roles));
  std::vector<std::string> actual;
  for (size_t method = 0; method < kMethods.size(); ++method) {
    std::vector<std::string> roles;
    for (const Role& role : BuiltInRoles()) {
      if (role.methods[method]) roles.push_back(role.name);
    }
    actual.push_back(absl::StrCat(kMethods[method], ": ", absl::StrJoin(roles, " ")));
  }
  EXPECT_THAT(actual, ::testing::ElementsAreArray(rows));
}

TEST(Roles, HaveNoLimits) {
  for (const Role& role : BuiltInRoles()) {
    EXPECT_FALSE(role.calls_per_second || role.comments_per_minute || role.writes_only_as_person)
        << role.name;
  }
}

TEST(Methods, AreThoseOfTheContract) {
  std::set<std::string> contract;
  for (const google::protobuf::FileDescriptor* const file :
       {v1::GetArticleRequest::descriptor()->file(),
        v1::GetServerInfoRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      const google::protobuf::ServiceDescriptor& service = *file->service(i);
      for (int j = 0; j < service.method_count(); ++j) {
        contract.insert(absl::StrCat(service.full_name(), "/", service.method(j)->name()));
      }
    }
  }
  std::set<std::string> known;
  for (const absl::string_view method : kMethods) {
    if (absl::StartsWith(method, "content.")) known.emplace(method);
  }
  EXPECT_THAT(known, ::testing::ContainerEq(contract));
}

TEST(Methods, AreFoundByName) {
  for (size_t place = 0; place < kMethods.size(); ++place) {
    EXPECT_EQ(FindMethod(kMethods[place]), place);
  }
  for (const char* const name :
       {"", "GetArticle", "content.v1.ContentService/", "content.v1.ContentService/getArticle",
        "/content.v1.ContentService/GetArticle"}) {
    EXPECT_EQ(FindMethod(name), std::nullopt) << name;
  }
}

TEST(Methods, MatchPatterns) {
  EXPECT_EQ(MatchMethods("content.v1.ContentService/GetArticle").count(), 1U);
  EXPECT_EQ(MatchMethods("content.v1.ContentService/*").count(), 13U);
  EXPECT_EQ(MatchMethods("grpc.health.v1.Health/*").count(), 2U);
  for (const char* const pattern : {"", "*", "/*", "content.v1.*", "content.v1.ContentService*",
                                    "content.v1.ContentService/Get*", "content.v1.ContentServic/*",
                                    "ContentService/GetArticle"}) {
    EXPECT_TRUE(MatchMethods(pattern).none()) << pattern;
  }
}

TEST(Methods, ResolveWithoutTheirPackageOrService) {
  EXPECT_EQ(*ResolveMethod("ContentService/GetArticle"), "content.v1.ContentService/GetArticle");
  EXPECT_EQ(*ResolveMethod("v1.ContentService/GetArticle"), "content.v1.ContentService/GetArticle");
  EXPECT_EQ(*ResolveMethod("content.v1.ContentService/GetArticle"),
            "content.v1.ContentService/GetArticle");
  EXPECT_THAT(ResolveMethod("Service/GetArticle").status().message(), HasSubstr("no method"));
  EXPECT_EQ(*ResolveMethod("GetArticle"), "content.v1.ContentService/GetArticle");
  EXPECT_THAT(ResolveMethod("Article").status().message(), HasSubstr("no method"));
  EXPECT_THAT(ResolveMethod("ServerReflectionInfo").status().message(), HasSubstr("several"));
  EXPECT_THAT(ResolveMethod("").status().message(), HasSubstr("no method"));
  EXPECT_THAT(ResolveMethod("ServerReflection/ServerReflectionInfo").status().message(),
              HasSubstr("several"));
}

}  // namespace
}  // namespace content::access
