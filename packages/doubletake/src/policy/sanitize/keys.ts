/**
 * What the name of a field says about its value: `password`, `first_name`, `user[email]`, `X-Api-Key`. Names are compared
 * without case and punctuation, by their last part first, so that spellings need no rules of their own.
 */
import { copyOf } from './clean-texts.ts';
import type { SanitizePreset } from './options.ts';

const names: Readonly<Record<SanitizePreset, { whole: string; ends: string }>> = {
  auth: {
    whole: `token sid sess session sessionid auth authorization credential credentials password passwd pwd pass passphrase
      secret otp totp mfacode code codeverifier jwt assertion samlresponse samlrequest sig signature nonce xsrf csrf
      jsessionid phpsessid connectsid aspnetsessionid remember rememberme apikey key privatekey state`,
    ends: `authorization token password passwd secret apikey accesskey accesskeyid secretkey authkey sessionid sessid credential signature
      passphrase csrf xsrf jwt userpass`,
  },
  pii: {
    whole: `email mail emailaddress phone mobile tel telephone fax cell msisdn ip ipaddress remoteaddr clientip
      name first last middle user login username userid loginid nick nickname displayname realname recipient contact
      address address1 address2 addressline1 addressline2 addr street street1 street2 strasse hausnummer housenumber city
      town ort zip zipcode postcode postalcode plz pobox apartment district
      dob birthdate dateofbirth birthday bday geburtsdatum birthplace placeofbirth born
      ssn sin nino dni nie nif cpf curp pesel nir bsn aadhaar taxid taxnumber tin vatid steuerid steuernummer
      socialsecuritynumber socialsecurity nationalid nationalinsurancenumber codicefiscale idnumber idcard passport
      passportnumber driverslicense driverlicense drivinglicence licenseplate
      iban bic accountnumber routingnumber sortcode vorname nachname prenom nom nombre apellido apellidos cognome
      insurancenumber patientid medicalrecordnumber mrn anschrift handy imei imsi`,
    ends: `email emailaddress phone phonenumber telephone mobilenumber firstname lastname surname givenname familyname
      fullname middlename maidenname holdername customername contactname recipientname patientname cardholder
      accountholder streetaddress homeaddress billingaddress shippingaddress deliveryaddress dateofbirth birthdate
      ipaddress passportnumber username ssn iban bankaccount mobilephone homephone workphone cellphone contactphone
      telefon telefonnummer handynummer mobilnummer geburtstag geburtsdatum kundenname`,
  },
  payment: {
    whole: `cvv cvc cvv2 cvc2 csc cid cvn cardcode securitycode pin pinblock pan ccnumber cc track track1 track2 trackdata
      magstripe creditcard debitcard cardno`,
    ends: `cardnumber cvv cvc cardsecuritycode creditcardnumber pincode pinblock trackdata`,
  },
};

/** Payment first: `cardnumber` is one, whatever else it ends with. */
const presetOrder: readonly SanitizePreset[] = ['payment', 'auth', 'pii'];
/** Names kept with what they mean; the names of an API are few, hostile ones are not. */
const KNOWN_MAX = 8_192;
const NAME_LENGTH_MAX = 256;

export class KeyNames {
  readonly #whole = new Map<string, SanitizePreset>();
  readonly #ends: [string, SanitizePreset][] = [];
  readonly #known = new Map<string, SanitizePreset | null>();

  constructor(presets: readonly SanitizePreset[]) {
    for (const preset of presetOrder.filter((each) => presets.includes(each))) {
      for (const name of names[preset].whole.split(/\s+/)) if (!this.#whole.has(name)) this.#whole.set(name, preset);
      for (const name of names[preset].ends.split(/\s+/)) this.#ends.push([name, preset]);
    }
  }

  /** The preset that a value under this name falls under, or null. */
  presetOf(key: string): SanitizePreset | null {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = this.#find(key);
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    if (key.length <= NAME_LENGTH_MAX) this.#known.set(copyOf(key), found);
    return found;
  }

  #find(key: string): SanitizePreset | null {
    const whole = this.#match(key);
    if (whole !== null) return whole;
    const parts = key.split(/[.[\]:/]+/);
    for (const part of parts.toReversed()) {
      const found = this.#match(part);
      if (found !== null) return found;
    }
    return null;
  }

  #match(name: string): SanitizePreset | null {
    const plain = name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
    if (plain === '') return null;
    const whole = this.#whole.get(plain) ?? this.#whole.get(plain.replace(/^x(?=.{3})/, ''));
    if (whole !== undefined) return whole;
    return this.#ends.find(([end]) => plain.endsWith(end))?.[1] ?? null;
  }
}
