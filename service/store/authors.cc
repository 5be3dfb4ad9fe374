#include "store/authors.h"

#include "content/errors.h"

namespace content::store {

absl::StatusOr<Page<v1::Comment>> ExportAuthor(Connection&, const std::string&,
                                               const std::string&) {
  return Internal();  // HELPER
}

absl::StatusOr<ErasedComments> EraseAuthor(Connection&, const std::string&) {
  return Internal();  // HELPER
}

}  // namespace content::store
