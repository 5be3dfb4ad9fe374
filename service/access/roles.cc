#include "access/roles.h"

#include <initializer_list>

namespace content::access {
namespace {

MethodSet Health() { return MatchMethods("grpc.health.v1.Health/*"); }

MethodSet Reflection() {
  return Health() | MatchMethods("grpc.reflection.v1.ServerReflection/*") |
         MatchMethods("grpc.reflection.v1alpha.ServerReflection/*");
}

MethodSet With(MethodSet methods, std::initializer_list<absl::string_view> added) {
  for (absl::string_view method : added) methods |= MatchMethods(method);
  return methods;
}

MethodSet Reader() {
  return With(Health(), {"content.v1.ContentService/BatchGetArticles",  //
                         "content.v1.ContentService/GetArticle",        //
                         "content.v1.ContentService/GetArticlePage",    //
                         "content.v1.ContentService/GetComment",        //
                         "content.v1.ContentService/ListArticles",      //
                         "content.v1.ContentService/ListComments",      //
                         "content.v1.ContentService/SearchArticles",    //
                         "content.v1.ContentService/WatchArticles",     //
                         "content.v1.ContentService/WatchComments"});
}

MethodSet Commenter() {
  return With(Reader(), {"content.v1.ContentService/CreateComment",  //
                         "content.v1.ContentService/DeleteComment",  //
                         "content.v1.ContentService/ReportComment",  //
                         "content.v1.ContentService/UpdateComment"});
}

MethodSet Moderator() {
  return With(Reader(), {"content.v1.AdminService/BlockAuthor",          //
                         "content.v1.AdminService/EraseComment",         //
                         "content.v1.AdminService/InspectComment",       //
                         "content.v1.AdminService/ListBlockedAuthors",   //
                         "content.v1.AdminService/ListModerationQueue",  //
                         "content.v1.AdminService/ModerateComment",      //
                         "content.v1.AdminService/UnblockAuthor"});
}

MethodSet Publisher() {
  return With(Reader(), {"content.v1.AdminService/InspectArticle",  //
                         "content.v1.AdminService/PublishArticle",  //
                         "content.v1.AdminService/RenameArticle",   //
                         "content.v1.AdminService/RetractArticle",  //
                         "content.v1.AdminService/UpdateArticle"});
}

}  // namespace

const std::vector<Role>& BuiltInRoles() {
  static const std::vector<Role> roles = {
      {.name = "health", .methods = Health()},
      {.name = "reflection", .methods = Reflection()},
      {.name = "reader", .methods = Reader()},
      {.name = "commenter", .methods = Commenter()},
      {.name = "moderator", .methods = Moderator()},
      {.name = "publisher", .methods = Publisher()},
      {.name = "operator", .methods = MethodSet().set()},
  };
  return roles;
}

}  // namespace content::access
