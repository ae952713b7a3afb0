/* sdf_handle.c: the one table of handles. A handle is generation << 20 | place + 1; the generation of a place grows when it is
 * given back, so that a stale handle finds nothing. */
#include <stdlib.h>

#include "sdf_inside.h"

enum { PLACE_BITS = 20, PLACES = (1 << PLACE_BITS) - 1 };

typedef struct {
    sdf_object *object;
    uint32_t generation;
    uint32_t next_free;
} place;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static place *places;
static uint32_t count, room, first_free = UINT32_MAX;

static int take_place(uint32_t *at)
{
    if (first_free != UINT32_MAX) {
        *at = first_free;
        first_free = places[*at].next_free;
        return 1;
    }
    if (count == room) {
        uint32_t larger = room == 0 ? 64 : 2 * room;
        place *moved = count < PLACES ? realloc(places, larger * sizeof *places) : NULL;
        if (moved == NULL)
            return 0;
        places = moved;
        room = larger;
    }
    *at = count++;
    places[*at].generation = 0;
    return 1;
}

/* Under the mutex. */
static place *find(const void *handle, sdf_kind kind)
{
    uint64_t value = (uint64_t)(uintptr_t)handle;
    uint64_t at = (value & PLACES) - 1;
    if (at >= count || places[at].object == NULL || places[at].object->kind != kind)
        return NULL;
    return places[at].generation == (uint32_t)(value >> PLACE_BITS) ? &places[at] : NULL;
}

/* Under the mutex: takes the object out of its place; the place's reference goes to the caller. */
static sdf_object *empty(place *at)
{
    sdf_object *object = at->object;
    at->object = NULL;
    at->generation++;
    at->next_free = first_free;
    first_free = (uint32_t)(at - places);
    return object;
}

void *ehc_sdf_register(sdf_object *object)
{
    uint32_t at;
    uintptr_t handle = 0;
    object->references = 1;
    pthread_mutex_lock(&mutex);
    if (take_place(&at)) {
        places[at].object = object;
        handle = (uintptr_t)((uint64_t)places[at].generation << PLACE_BITS | (at + 1));
        if (object->owner != NULL)
            object->owner->references++;
    } else {
        object->owner = NULL;
    }
    pthread_mutex_unlock(&mutex);
    if (handle == 0)
        object->destroy(object);
    return (void *)handle;
}

sdf_object *ehc_sdf_enter(void *handle, sdf_kind kind)
{
    pthread_mutex_lock(&mutex);
    place *at = find(handle, kind);
    sdf_object *object = at == NULL ? NULL : at->object;
    if (object != NULL)
        object->references++;
    pthread_mutex_unlock(&mutex);
    return object;
}

void ehc_sdf_leave(sdf_object *object)
{
    while (object != NULL) {
        pthread_mutex_lock(&mutex);
        int last = --object->references == 0;
        pthread_mutex_unlock(&mutex);
        if (!last)
            return;
        sdf_object *owner = object->owner;
        object->destroy(object);
        object = owner;
    }
}

/* One object that belongs to `owner`, taken out of its place; NULL when there is none left. */
static sdf_object *take_belonging(const sdf_object *owner)
{
    sdf_object *found = NULL;
    pthread_mutex_lock(&mutex);
    for (uint32_t i = 0; i < count && found == NULL; i++)
        if (places[i].object != NULL && places[i].object->owner == owner)
            found = empty(&places[i]);
    pthread_mutex_unlock(&mutex);
    return found;
}

static void end(sdf_object *object)
{
    for (sdf_object *belonging; (belonging = take_belonging(object)) != NULL;)
        end(belonging);
    ehc_sdf_leave(object);
}

int ehc_sdf_close(void *handle, sdf_kind kind, const sdf_object *owner)
{
    pthread_mutex_lock(&mutex);
    place *at = find(handle, kind);
    sdf_object *object = at == NULL || (owner != NULL && at->object->owner != owner) ? NULL : empty(at);
    pthread_mutex_unlock(&mutex);
    if (object != NULL)
        end(object);
    return object != NULL;
}
