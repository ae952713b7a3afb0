/* reader_names.c: names of statuses, and sentences for the clerk. */
#include "reader_inside.h"

#define NAMED(name) \
    case name:      \
        return #name

const char *ehc_reader_status_name(int status)
{
    switch (status) {
        NAMED(EHC_READER_OK);
        NAMED(EHC_READER_E_ARGUMENT);
        NAMED(EHC_READER_E_VERSION);
        NAMED(EHC_READER_E_MEMORY);
        NAMED(EHC_READER_E_SELFTEST);
        NAMED(EHC_READER_E_LIBCRYPTO);
        NAMED(EHC_READER_E_KEY);
        NAMED(EHC_READER_E_FULL);
        NAMED(EHC_READER_E_FRAME);
        NAMED(EHC_READER_LENGTH);
        NAMED(EHC_READER_CHARACTER);
        NAMED(EHC_READER_FOREIGN);
        NAMED(EHC_READER_GRAMMAR);
        NAMED(EHC_READER_NO_TOKEN);
        NAMED(EHC_READER_FORGED);
        NAMED(EHC_READER_EXPIRED);
        NAMED(EHC_READER_EARLY);
        NAMED(EHC_READER_KEY_VERSION);
        NAMED(EHC_READER_REVOKED);
        NAMED(EHC_READER_SERVICE);
    default:
        return "EHC_READER_?";
    }
}

uint32_t ehc_reader_version(void)
{
    return EHC_READER_API;
}

/* By EHC_READER_WHAT_*; those of ehc/reader/payloads.py. */
static const char *const SENTENCES[][2] = {
    {"电子健康卡", "Electronic health card"},
    {"二维码没有内容。", "The code is empty."},
    {"这是网址二维码，不是电子健康卡。请患者打开电子健康卡再扫。",
     "This is a web address. Ask for the electronic health card."},
    {"这是微信付款码，请勿在此扫码。请患者打开电子健康卡。",
     "This is a WeChat payment code: it is money. Ask for the electronic health card."},
    {"这是支付宝付款码，请勿在此扫码。请患者打开电子健康卡。",
     "This is an Alipay payment code: it is money. Ask for the electronic health card."},
    {"这是银联付款码，请勿在此扫码。请患者打开电子健康卡。",
     "This is a UnionPay payment code: it is money. Ask for the electronic health card."},
    {"这是医保电子凭证，不是电子健康卡。请患者打开电子健康卡再扫。",
     "This is an insurance code. Ask for the electronic health card."},
    {"这是身份证号，不是电子健康卡。请患者出示电子健康卡。",
     "This is a resident id number. Ask for the electronic health card."},
    {"不是电子健康卡。请患者打开电子健康卡再扫。", "This is no electronic health card. Ask the patient to open it."},
};

const char *ehc_reader_sentence(int what, int language)
{
    if (what < 0 || what > EHC_READER_WHAT_OTHER || language < 0 || language > EHC_READER_ENGLISH)
        return "";
    return SENTENCES[what][language];
}
