// Package parcel prices parcels and prints their labels.
package parcel

// zones are the prices of the first kilogram, in cents.
var zones = map[string]int{
	"home":   480,
	"europe": 1290,
	"world":  2350,
}

// perKilogram is the price of each further kilogram, in cents.
const perKilogram = 150

// Tariff returns the price of a parcel in cents. It panics if the zone is
// not known.
func Tariff(zone string, grams int) int {
	base, ok := zones[zone]
	if !ok {
		panic("unknown zone " + zone)
	}
	further := max(0, (grams-1)/1000)
	return base + further*perKilogram
}
