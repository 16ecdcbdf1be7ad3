package parcel

import "testing"

func TestTariff(t *testing.T) {
	if got := Tariff("europe", 2500); got != 1590 {
		t.Errorf("Tariff = %d", got)
	}
}
