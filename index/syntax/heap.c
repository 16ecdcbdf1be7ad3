#include "heap.h"
#include "core.h"

#include <stdlib.h>
#include <string.h>

// AddressSanitizer sees each block only if malloc makes it.
#if defined(__SANITIZE_ADDRESS__)
#define HEAP_PLAIN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEAP_PLAIN 1
#endif
#endif

#ifdef HEAP_PLAIN

void heap_install(void) { ts_set_allocator(malloc, calloc, realloc, free); }
void heap_enter(heap *h) { (void)h; }
void heap_leave(void) {}
void heap_release(heap *h) { (void)h; }
void heap_free(void *block) { free(block); }

#else

enum { unit = 16, chunk_size = 1 << 20 };

static __thread heap *current;

// A block is preceded by a word: its class, or heap_classes for one of
// malloc's, whose size stands in the word before.
typedef struct { size_t size, class; } header;

static header *header_of(void *block) { return (header *)((char *)block - sizeof(header)); }

static size_t capacity(const header *h) {
  return h->class < heap_classes ? h->class * unit - sizeof(size_t) : h->size;
}

static void *large(void *was, size_t size) {
  if (size > SIZE_MAX - sizeof(header)) return NULL;
  header *h = realloc(was, size + sizeof(header));
  if (!h) return NULL;
  h->size = size;
  h->class = heap_classes;
  return h + 1;
}

// Cuts a block from the chunk. Blocks begin one word behind a multiple of 16,
// so that what follows their header is aligned; the first words of a chunk
// link it.
static void *cut(heap *h, size_t class) {
  size_t size = class * unit;
  if (!h->chunk || h->used + size > chunk_size) {
    char *fresh = malloc(chunk_size);
    if (!fresh) return NULL;
    *(char **)fresh = h->chunk;
    h->chunk = fresh;
    h->used = sizeof(size_t);
  }
  char *block = h->chunk + h->used + sizeof(size_t);
  h->used += size;
  header_of(block)->class = class;
  return block;
}

static void *heap_malloc(size_t size) {
  size_t class = size > heap_classes * unit ? heap_classes : (size + sizeof(size_t) + unit - 1) / unit;
  if (class >= heap_classes || !current) return large(NULL, size);
  void *block = current->idle[class];
  if (!block) return cut(current, class);
  current->idle[class] = *(void **)block;
  return block;
}

static void *heap_calloc(size_t count, size_t size) {
  if (size && count > SIZE_MAX / size) return NULL;
  void *block = heap_malloc(count * size);
  return block ? memset(block, 0, count * size) : NULL;
}

void heap_free(void *block) {
  if (!block) return;
  header *h = header_of(block);
  if (h->class >= heap_classes) {
    free(h);
  } else if (current) {
    *(void **)block = current->idle[h->class];
    current->idle[h->class] = block;
  }
}

static void *heap_realloc(void *block, size_t size) {
  if (!block) return heap_malloc(size);
  header *h = header_of(block);
  if (h->class >= heap_classes) return large(h, size);
  if (size <= capacity(h)) return block;
  void *grown = heap_malloc(size);
  if (!grown) return NULL;
  memcpy(grown, block, capacity(h));
  heap_free(block);
  return grown;
}

void heap_install(void) { ts_set_allocator(heap_malloc, heap_calloc, heap_realloc, heap_free); }
void heap_enter(heap *h) { current = h; }
void heap_leave(void) { current = NULL; }

void heap_release(heap *h) {
  while (h->chunk) {
    char *next = *(char **)h->chunk;
    free(h->chunk);
    h->chunk = next;
  }
  memset(h, 0, sizeof *h);
}

#endif
