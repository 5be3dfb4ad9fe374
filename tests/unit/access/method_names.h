#pragma once

namespace content::access {

inline constexpr char kGetArticle[] = "content.v1.ContentService/GetArticle";
inline constexpr char kCreateComment[] = "content.v1.ContentService/CreateComment";
inline constexpr char kPublish[] = "content.v1.AdminService/PublishArticle";
inline constexpr char kCheckHealth[] = "grpc.health.v1.Health/Check";

}  // namespace content::access
