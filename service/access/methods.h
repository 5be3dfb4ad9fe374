#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace content::access {

/// Every method that can be called on a port of the service. The tests compare them with the
/// contract, in which a new method is one here too.
inline constexpr std::array kMethods = std::to_array<absl::string_view>({
    "content.v1.AdminService/BlockAuthor",
    "content.v1.AdminService/EraseAuthor",
    "content.v1.AdminService/EraseComment",
    "content.v1.AdminService/ExportAuthor",
    "content.v1.AdminService/GetServerInfo",
    "content.v1.AdminService/ImportComments",
    "content.v1.AdminService/InspectArticle",
    "content.v1.AdminService/InspectComment",
    "content.v1.AdminService/ListAuditEvents",
    "content.v1.AdminService/ListBlockedAuthors",
    "content.v1.AdminService/ListModerationQueue",
    "content.v1.AdminService/ModerateComment",
    "content.v1.AdminService/OverrideLogLevel",
    "content.v1.AdminService/PublishArticle",
    "content.v1.AdminService/RenameArticle",
    "content.v1.AdminService/RetractArticle",
    "content.v1.AdminService/UnblockAuthor",
    "content.v1.AdminService/UpdateArticle",
    "content.v1.AdminService/VerifyCounters",
    "content.v1.ContentService/BatchGetArticles",
    "content.v1.ContentService/CreateComment",
    "content.v1.ContentService/DeleteComment",
    "content.v1.ContentService/GetArticle",
    "content.v1.ContentService/GetArticlePage",
    "content.v1.ContentService/GetComment",
    "content.v1.ContentService/ListArticles",
    "content.v1.ContentService/ListComments",
    "content.v1.ContentService/ReportComment",
    "content.v1.ContentService/SearchArticles",
    "content.v1.ContentService/UpdateComment",
    "content.v1.ContentService/WatchArticles",
    "content.v1.ContentService/WatchComments",
    "grpc.channelz.v1.Channelz/GetChannel",
    "grpc.channelz.v1.Channelz/GetServer",
    "grpc.channelz.v1.Channelz/GetServerSockets",
    "grpc.channelz.v1.Channelz/GetServers",
    "grpc.channelz.v1.Channelz/GetSocket",
    "grpc.channelz.v1.Channelz/GetSubchannel",
    "grpc.channelz.v1.Channelz/GetTopChannels",
    "grpc.health.v1.Health/Check",
    "grpc.health.v1.Health/Watch",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
});

/// A set of methods, by their places in kMethods.
using MethodSet = std::bitset<kMethods.size()>;

/// Returns the place of a method in kMethods; nullopt if there is no such method.
std::optional<size_t> FindMethod(absl::string_view method);

/// Returns the methods that `pattern` names: `PACKAGE.SERVICE/METHOD`, or `PACKAGE.SERVICE/*` for
/// all of a service. Empty if there are none.
MethodSet MatchMethods(absl::string_view pattern);

/// Returns the method that a person means by `text`: its name, perhaps without the package, or
/// without the service. The error is INVALID_ARGUMENT: there is none, or more than one.
absl::StatusOr<absl::string_view> ResolveMethod(absl::string_view text);

bool IsHealthCheck(absl::string_view method);

}  // namespace content::access
