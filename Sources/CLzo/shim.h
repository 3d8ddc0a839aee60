#include <lzo/lzo1x.h>

// Swift sees neither macro.
static inline int clzo_init(void) { return lzo_init(); }
static inline size_t clzo_work_size(void) { return LZO1X_1_MEM_COMPRESS; }
