/* A PKCS#11 module that forwards to another one and misbehaves on command.
 *
 * ESEAL_SHIM_MODULE names the module behind it. shim_set(name, value) says how to misbehave, from the process that has
 * it loaded; ESEAL_SHIM_<NAME> in the environment does the same for a process that is only started. shim_get(name)
 * reads a setting or a counter. The types are those of PKCS#11 v2.40 as far as they are touched here.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_RV;
typedef unsigned char CK_BYTE;
typedef struct { CK_ULONG mechanism; void *parameter; CK_ULONG length; } CK_MECHANISM;
typedef struct { CK_BYTE version[2]; void *function[68]; } CK_FUNCTION_LIST;

enum { INITIALIZE = 0, FINALIZE = 1, GET_FUNCTION_LIST = 3, GET_TOKEN_INFO = 6, OPEN_SESSION = 12, CLOSE_ALL_SESSIONS = 14,
       LOGIN = 18, SIGN_INIT = 42, SIGN = 43 };
enum { CKR_OK = 0, CKR_DEVICE_ERROR = 0x30, CKR_SESSION_COUNT = 0xB1, CKR_BUFFER_TOO_SMALL = 0x150 };
#define CKU_USER 1UL
#define CKU_VENDOR_DEFINED 0x80000000UL

/* Settings, then counters. */
enum { DELAY_US, REMOTE, FAIL_EVERY, FAIL_WITH, FAIL_ONCE_WITH, WRONG_EVERY, HANG, OPEN_HANG, MAX_SESSIONS, MAX_RW_SESSIONS,
       OPEN_FAIL_WITH, OPENS_LEFT, LOGIN_FAIL_WITH, PIN_FLAGS, SIGNED, LOGINS, USER_TYPE, INITIALIZED, FINALIZED, INSIDE, FINALIZED_WHILE_INSIDE, NAMES };
static const char *const names[NAMES] = {
    "delay_us", "remote", "fail_every", "fail_with", "fail_once_with", "wrong_every", "hang", "open_hang", "max_sessions",
    "max_rw_sessions", "open_fail_with", "opens_left", "login_fail_with", "pin_flags", "signed", "logins", "user_type", "initialized", "finalized", "inside",
    "finalized_while_inside"};
static atomic_long values[NAMES];

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST ours;

/* SoftHSM frees a session under the feet of a call that uses it, and crashes. An HSM that loses its sessions does so
 * between calls: calls hold this lock for reading, and what takes sessions away holds it for writing. */
static pthread_rwlock_t calls = PTHREAD_RWLOCK_INITIALIZER;

/* Every function but those with more than six arguments, none of which takes part in signing. All arguments are as wide
 * as a register, so one shape fits. */
typedef CK_RV (*any)(CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG);
#define FORWARD(place) \
    static CK_RV forward_##place(CK_ULONG a, CK_ULONG b, CK_ULONG c, CK_ULONG d, CK_ULONG e, CK_ULONG f) { \
        pthread_rwlock_rdlock(&calls); \
        CK_RV rv = ((any)real->function[place])(a, b, c, d, e, f); \
        pthread_rwlock_unlock(&calls); \
        return rv; \
    }
#define FORWARDED(do) do(4) do(5) do(7) do(8) do(11) do(13) do(15) do(19) do(20) do(22) do(24) do(25) do(26) do(27) do(28)
FORWARDED(FORWARD)

/* What a session was last asked to sign and what came of it, so that a remote HSM costs this machine no computing:
 * its signature is a true one, made once, and handed out again for the same digest with the same key. */
typedef struct {
    CK_ULONG session, key, data_length, signature_length;
    CK_MECHANISM mechanism;
    CK_BYTE data[64], signature[512];
} remembered;
static remembered memory[8192];
#define MEMORY_OF(session) (&memory[(session) % 8192])

static int place_of(const char *name) {
    for (int place = 0; place < NAMES; place++)
        if (strcasecmp(names[place], name) == 0) return place;
    fprintf(stderr, "shim: no setting %s\n", name);
    abort();
}

void shim_set(const char *name, long value) { atomic_store(&values[place_of(name)], value); }
long shim_get(const char *name) { return atomic_load(&values[place_of(name)]); }

static void wait_us(long microseconds) {
    struct timespec pause = {microseconds / 1000000, (microseconds % 1000000) * 1000};
    nanosleep(&pause, NULL);
}

/* 1: calls hang from now on. 2: those that hang stay, new ones pass. 0: all are let go. */
static void hang(int setting) {
    if (atomic_load(&values[setting]) == 1)
        while (atomic_load(&values[setting])) wait_us(10000);
}

static int is_turn(int setting, long count) {
    long every = atomic_load(&values[setting]);
    return every > 0 && count % every == 0;
}

static CK_RV shim_initialize(void *arguments) {
    atomic_fetch_add(&values[INITIALIZED], 1);
    return ((CK_RV(*)(void *))real->function[INITIALIZE])(arguments);
}

static CK_RV shim_finalize(void *reserved) {
    atomic_fetch_add(&values[FINALIZED], 1);
    if (atomic_load(&values[INSIDE])) atomic_fetch_add(&values[FINALIZED_WHILE_INSIDE], 1);
    pthread_rwlock_wrlock(&calls);
    CK_RV rv = ((CK_RV(*)(void *))real->function[FINALIZE])(reserved);
    pthread_rwlock_unlock(&calls);
    return rv;
}

static CK_RV shim_close_all_sessions(CK_ULONG slot) {
    pthread_rwlock_wrlock(&calls);
    CK_RV rv = ((CK_RV(*)(CK_ULONG))real->function[CLOSE_ALL_SESSIONS])(slot);
    pthread_rwlock_unlock(&calls);
    return rv;
}

static CK_RV shim_token_info(CK_ULONG slot, CK_ULONG *info) {
    pthread_rwlock_rdlock(&calls);
    CK_RV rv = ((CK_RV(*)(CK_ULONG, void *))real->function[GET_TOKEN_INFO])(slot, info);
    pthread_rwlock_unlock(&calls);
    if (rv == CKR_OK) {
        info[12] |= (CK_ULONG)atomic_load(&values[PIN_FLAGS]); /* after 96 bytes of text: flags, then ulMaxSessionCount */
        if (atomic_load(&values[MAX_SESSIONS])) info[13] = (CK_ULONG)atomic_load(&values[MAX_SESSIONS]);
        if (atomic_load(&values[MAX_RW_SESSIONS])) info[15] = (CK_ULONG)atomic_load(&values[MAX_RW_SESSIONS]);
    }
    return rv;
}

static CK_RV shim_open_session(CK_ULONG slot, CK_ULONG flags, void *application, void *notify, CK_ULONG *handle) {
    hang(OPEN_HANG);
    long failure = atomic_load(&values[OPEN_FAIL_WITH]);
    if (failure) return (CK_RV)failure;
    long left = atomic_load(&values[OPENS_LEFT]); /* One more than may be opened; 0: as many as anyone likes. */
    if (left == 1) return CKR_SESSION_COUNT;
    if (left > 1) atomic_fetch_sub(&values[OPENS_LEFT], 1);
    pthread_rwlock_rdlock(&calls);
    CK_RV rv = ((CK_RV(*)(CK_ULONG, CK_ULONG, void *, void *, CK_ULONG *))real->function[OPEN_SESSION])(
        slot, flags, application, notify, handle);
    pthread_rwlock_unlock(&calls);
    return rv;
}

static CK_RV shim_login(CK_ULONG session, CK_ULONG user, CK_BYTE *pin, CK_ULONG length) {
    atomic_fetch_add(&values[LOGINS], 1);
    atomic_store(&values[USER_TYPE], (long)user);
    if (user >= CKU_VENDOR_DEFINED) user = CKU_USER; /* A user of this vendor's own, which SoftHSM does not have. */
    long failure = atomic_load(&values[LOGIN_FAIL_WITH]);
    if (failure) return (CK_RV)failure;
    pthread_rwlock_rdlock(&calls);
    CK_RV rv = ((CK_RV(*)(CK_ULONG, CK_ULONG, CK_BYTE *, CK_ULONG))real->function[LOGIN])(session, user, pin, length);
    pthread_rwlock_unlock(&calls);
    return rv;
}

static CK_RV real_sign_init(CK_ULONG session, CK_MECHANISM *mechanism, CK_ULONG key) {
    pthread_rwlock_rdlock(&calls);
    CK_RV rv = ((CK_RV(*)(CK_ULONG, CK_MECHANISM *, CK_ULONG))real->function[SIGN_INIT])(session, mechanism, key);
    pthread_rwlock_unlock(&calls);
    return rv;
}

static CK_RV real_sign(CK_ULONG session, CK_BYTE *data, CK_ULONG length, CK_BYTE *signature, CK_ULONG *signature_length) {
    pthread_rwlock_rdlock(&calls);
    CK_RV rv = ((CK_RV(*)(CK_ULONG, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *))real->function[SIGN])(
        session, data, length, signature, signature_length);
    pthread_rwlock_unlock(&calls);
    return rv;
}

static CK_RV shim_sign_init(CK_ULONG session, CK_MECHANISM *mechanism, CK_ULONG key) {
    if (!atomic_load(&values[REMOTE])) return real_sign_init(session, mechanism, key);
    remembered *last = MEMORY_OF(session);
    if (last->session != session || last->key != key) last->signature_length = 0;
    last->session = session;
    last->key = key;
    last->mechanism = *mechanism;
    return CKR_OK;
}

static CK_RV remote_sign(CK_ULONG session, CK_BYTE *data, CK_ULONG length, CK_BYTE *signature, CK_ULONG *signature_length) {
    remembered *last = MEMORY_OF(session);
    if (!last->signature_length || last->data_length != length || memcmp(last->data, data, length)) {
        CK_ULONG made = sizeof last->signature;
        CK_RV rv = real_sign_init(session, &last->mechanism, last->key);
        if (rv == CKR_OK) rv = real_sign(session, data, length, last->signature, &made);
        if (rv != CKR_OK) return rv;
        memcpy(last->data, data, last->data_length = length);
        last->signature_length = made;
    }
    if (*signature_length < last->signature_length) return CKR_BUFFER_TOO_SMALL;
    memcpy(signature, last->signature, *signature_length = last->signature_length);
    return CKR_OK;
}

static CK_RV shim_sign(CK_ULONG session, CK_BYTE *data, CK_ULONG length, CK_BYTE *signature, CK_ULONG *signature_length) {
    CK_RV rv;
    long count = atomic_fetch_add(&values[SIGNED], 1) + 1;
    atomic_fetch_add(&values[INSIDE], 1);
    hang(HANG);
    long delay = atomic_load(&values[DELAY_US]);
    if (delay) wait_us(delay);
    if (atomic_load(&values[REMOTE]))
        rv = remote_sign(session, data, length, signature, signature_length);
    else
        rv = real_sign(session, data, length, signature, signature_length);
    if (rv == CKR_OK && is_turn(FAIL_EVERY, count)) {
        long failure = atomic_exchange(&values[FAIL_ONCE_WITH], 0);
        if (!failure) failure = atomic_load(&values[FAIL_WITH]);
        rv = failure ? (CK_RV)failure : CKR_DEVICE_ERROR;
    }
    if (rv == CKR_OK && is_turn(WRONG_EVERY, count)) signature[*signature_length / 2] ^= 0x40;
    atomic_fetch_sub(&values[INSIDE], 1);
    return rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
    if (!real) {
        const char *path = getenv("ESEAL_SHIM_MODULE");
        void *module = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
        CK_RV (*get)(CK_FUNCTION_LIST **) = module ? dlsym(module, "C_GetFunctionList") : NULL;
        if (!get || get(&real) != CKR_OK) {
            fprintf(stderr, "shim: ESEAL_SHIM_MODULE names no PKCS#11 module\n");
            return CKR_DEVICE_ERROR;
        }
        for (int place = 0; place < NAMES; place++) {
            char variable[64] = "ESEAL_SHIM_";
            strncat(variable, names[place], 40);
            for (char *c = variable; *c; c++) if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 32);
            if (getenv(variable)) atomic_store(&values[place], atol(getenv(variable)));
        }
        ours = *real;
#define REPLACE(place) ours.function[place] = (void *)forward_##place;
        FORWARDED(REPLACE)
        ours.function[INITIALIZE] = (void *)shim_initialize;
        ours.function[FINALIZE] = (void *)shim_finalize;
        ours.function[GET_FUNCTION_LIST] = (void *)C_GetFunctionList;
        ours.function[GET_TOKEN_INFO] = (void *)shim_token_info;
        ours.function[OPEN_SESSION] = (void *)shim_open_session;
        ours.function[CLOSE_ALL_SESSIONS] = (void *)shim_close_all_sessions;
        ours.function[LOGIN] = (void *)shim_login;
        ours.function[SIGN_INIT] = (void *)shim_sign_init;
        ours.function[SIGN] = (void *)shim_sign;
    }
    *list = &ours;
    return CKR_OK;
}
