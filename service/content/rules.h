#pragma once

#include <string>
#include <vector>

#include "content/errors.h"
#include "content/v1/article.pb.h"
#include "content/v1/comment.pb.h"

// The rules for articles and comments. The proto files document the limits.
namespace content {

/// Descriptions of an invalid resource name.
inline constexpr absl::string_view kArticleNameRule =
    "is not articles/{id} with an id of 1 to 63 lower-case letters, digits and inner hyphens";
inline constexpr absl::string_view kCommentNameRule =
    "is not articles/{id}/comments/{uuid} with a UUID in lower case";

inline constexpr int kMaxCommentCharacters = 10'000;
inline constexpr int kMaxThreadDepth = 32;
inline constexpr int kMaxBodyBytes = 1 << 20;

/// Maximum size of a reply. gRPC's default limit is 4 MiB.
inline constexpr int kMaxReplyBytes = 3 << 20;

/// Checks the fields that a publisher sets. Paths of violations begin with `path` (`article`). The
/// name may be empty.
void CheckArticle(const v1::Article& article, absl::string_view path, Violations& violations);

/// Checks author and body of a new comment. reply_to is checked where the parent is known.
void CheckComment(const v1::Comment& comment, absl::string_view path, Violations& violations);

/// Check single fields.
void CheckCommentAuthorId(absl::string_view id, absl::string_view field, Violations& violations);
void CheckCommentBody(absl::string_view body, absl::string_view field, Violations& violations);
void CheckDisplayName(absl::string_view name, absl::string_view field, Violations& violations);

/// Accepts a BCP 47 tag or an empty string.
void CheckLanguage(absl::string_view tag, absl::string_view field, Violations& violations);

/// Accepts the years 1 to 9999, which both protobuf and PostgreSQL can hold.
void CheckTime(const google::protobuf::Timestamp& time, absl::string_view field,
               Violations& violations);

/// Brings a valid article from a publisher into the form in which it is stored and compared: output
/// only fields are cleared or computed, and without a name the id is derived from the title.
/// INVALID_ARGUMENT on `path`.name if no id can be derived, and on `path`.body if it has more than
/// 1,000 sections.
absl::Status CompleteArticle(absl::string_view path, v1::Article& article);

/// Names of the fields that an update mask may name.
const std::vector<std::string>& ChangeableArticleFields();

/// Copies the fields in `paths`, which are ChangeableArticleFields, from `changes` to the stored
/// article `article`, and completes it. INVALID_ARGUMENT, with paths that begin with `article`, if
/// the result breaks the rules.
absl::Status MergeArticle(const v1::Article& changes, const std::vector<std::string>& paths,
                          v1::Article& article);

}  // namespace content
