#include "api/answers.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "content/page_token.h"

namespace content::api {

std::string NextPageToken(absl::string_view query_identity, absl::string_view next_key) {
  return next_key.empty() ? "" : MakePageToken(query_identity, next_key);
}

std::string CachedPageKey(absl::string_view rpc, absl::string_view article_name,
                          v1::CommentOrder order, int page_size, v1::ArticleView view) {
  return absl::StrCat(rpc, " ", static_cast<int>(order), " ", page_size, " ",
                      static_cast<int>(view), " ", article_name);
}

SharedBytes Serialize(const google::protobuf::MessageLite& message) {
  return std::make_shared<const std::string>(message.SerializeAsString());
}

}  // namespace content::api
