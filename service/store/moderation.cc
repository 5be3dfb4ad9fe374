#include "store/moderation.h"

#include "content/errors.h"

namespace content::store {

absl::StatusOr<Page<v1::Comment>> ListModerationQueue(Connection&, const ModerationQuery&) {
  return Internal();  // HELPER
}

}  // namespace content::store
