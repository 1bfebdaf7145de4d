/** The form in which texts are compared regardless of case and Unicode spelling. */
export const fold = (text: string): string => text.normalize('NFC').toLowerCase()
